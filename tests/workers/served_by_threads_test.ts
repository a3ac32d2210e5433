import { assertEquals, assertStringIncludes } from "../support/assert.ts";
import { within } from "../support/until.ts";

/**
 * What is tested of one thread and has to hold for several, too: the files that go through most of
 * the paths in a few seconds. `HOLDFAST_TEST_WORKERS=2 deno task test tests/integration
 * tests/conformance` runs all of them so.
 */
const FILES = ["app", "events", "publish", "reload", "resume"];

const ROOT = new URL("../../", import.meta.url);

Deno.test({
  name: "workers: what holds for one thread holds for two",
  // Whoever sets it runs them all.
  ignore: Deno.env.has("HOLDFAST_TEST_WORKERS"),
  fn: async () => {
    const files = FILES.map((name) => `tests/integration/${name}_test.ts`);
    await using run = new Deno.Command(Deno.execPath(), {
      args: ["task", "test", "--no-check", ...files],
      cwd: ROOT,
      env: { HOLDFAST_TEST_WORKERS: "2", NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const { code, stdout } = await within(run.output(), {
      timeoutMs: 120_000,
      explain: () => "it did not end",
    });
    const told = new TextDecoder().decode(stdout);
    assertEquals(code, 0, told);
    assertStringIncludes(told, "| 0 failed");
  },
});
