import { command, runHoldfast, spawn } from "../support/command_line.ts";
import { Watched } from "../support/until.ts";
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

Deno.test("serve asks whether a file was meant as --config", async () => {
  for (const file of ["hub.jsonc", "hub.yaml"]) {
    const { code, stderr } = await runHoldfast(["serve", file]);
    assertEquals(code, 2);
    assertMatch(stderr, new RegExp(`did you mean --config "${file}"\\?`));
  }
  const { stderr } = await runHoldfast(["serve", "frob"]);
  assertEquals(stderr.includes("did you mean"), false);
});

/** Runs `serve` with a terminal, until it says where to open the page; or fails after a while. */
async function serveOnTerminal(env: Readonly<Record<string, string>>, config?: string) {
  const words = command("serve", ...(config === undefined ? [] : ["--config", config]));
  const line = `exec ${words.map((word) => `'${word}'`).join(" ")}`;
  const child = spawn(["/usr/bin/script", "-qefc", line, "/dev/null"], {
    HOLDFAST_LISTEN: "127.0.0.1:0",
    ...env,
  });
  const shown = new Watched();
  let text = "";
  const reading = (async () => {
    for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += part;
      shown.changed();
    }
  })();
  try {
    await shown.until(() => /open http\S+\/\r?\n/.exec(text) ?? undefined, {
      timeoutMs: 20_000,
      explain: () => text,
    });
    return text;
  } finally {
    child.kill("SIGTERM");
    await Promise.all([child.status, reading, child.stderr.cancel()]);
  }
}

Deno.test("on a terminal serve logs for a person and says what to open; a setting still wins", async () => {
  assertMatch(await serveOnTerminal({}), /^(?!\{).*server\.listening/m);
  assertMatch(await serveOnTerminal({ HOLDFAST_LOG_FORMAT: "json" }), /^\{.*"server\.listening"/m);
  const path = await Deno.makeTempFile({ suffix: ".jsonc" });
  try {
    await Deno.writeTextFile(path, `{ "log": { "format": "json" } }`);
    assertMatch(await serveOnTerminal({}, path), /^\{.*"server\.listening"/m);
  } finally {
    await Deno.remove(path);
  }
});
