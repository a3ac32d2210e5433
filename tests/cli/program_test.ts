import { runHoldfast } from "../support/command_line.ts";
import { assertEquals, assertMatch } from "../support/assert.ts";

Deno.test("C39: run() takes the `--` that `deno task start -- --config F` passes on", async () => {
  const path = await Deno.makeTempFile({ suffix: ".jsonc" });
  try {
    await Deno.writeTextFile(path, `{ "listen": 5 }`);
    const { code, stderr } = await runHoldfast(["serve", "--", "--config", path]);
    assertEquals(code, 2, stderr);
    assertMatch(stderr, /listen/, "the file was read");
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("run() still refuses what a command does not take", async () => {
  const { code, stderr } = await runHoldfast(["serve", "--", "hub.jsonc"]);
  assertEquals(code, 2);
  assertMatch(stderr, /too many arguments/);
});
