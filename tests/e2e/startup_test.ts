import {
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { type Ended, runHoldfast } from "../support/command_line.ts";
import { ConfigFile } from "../support/config_file.ts";

Deno.test("serve with a bad configuration lists every problem and exits with 2", async () => {
  using file = new ConfigFile({
    listen: "8787",
    backends: { core: { transport: "json-rpc", url: "ftp://example.com" } },
    sources: [
      { channel: "System", backend: "core", method: "GetSystemStatus" },
      { channel: "system_status", backend: "cor", method: "GetSystemStatus", every: "5 sec" },
    ],
    hub: { hartbeat_every: "1s" },
  });
  const ended = await runHoldfast(["serve", ...file.args]);
  assertEquals(ended.code, 2);
  const lines = ended.stderr.trimEnd().split("\n");
  for (
    const path of [
      "listen",
      "backends.core.url",
      "sources[0].channel",
      "sources[1].every",
      "hub.hartbeat_every",
    ]
  ) {
    const line = lines.find((each) => each.includes(` ${path}: found `));
    assertMatch(line ?? `nothing about ${path} in: ${ended.stderr}`, /: found .+; expected .+/);
    assertStringIncludes(line ?? "", file.path ?? "?");
  }
  assertNoStack(ended);
});

Deno.test("serve without its configuration file exits with 2 and names the file", async () => {
  const ended = await runHoldfast(["serve", "--config", "/nowhere/hub.jsonc"]);
  assertEquals(ended.code, 2);
  assertMatch(ended.stderr, /\/nowhere\/hub\.jsonc/);
  assertNoStack(ended);
});

Deno.test("serve on a port that is taken exits with 1 and one clear sentence", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const ended = await runHoldfast(["serve", "--listen", `127.0.0.1:${taken.addr.port}`]);
  assertEquals(ended.code, 1);
  assertMatch(
    ended.stderr,
    new RegExp(`^holdfast: cannot listen on 127\\.0\\.0\\.1:${taken.addr.port}: .*already`, "m"),
  );
  assertNoStack(ended);
});

for (const args of [[], ["sevre"], ["serve", "--confg", "x"], ["serve", "--listen", "8787"]]) {
  Deno.test(`bad usage exits with 2: holdfast ${args.join(" ")}`, async () => {
    const ended = await runHoldfast(args);
    assertEquals(ended.code, 2);
    assertMatch(ended.stderr, /\S/);
    assertNoStack(ended);
  });
}

Deno.test("help and version exit with 0 on standard output", async () => {
  const help = await runHoldfast(["--help"]);
  assertEquals(help.code, 0);
  assertMatch(help.stdout, /serve/);
  const version = await runHoldfast(["version"]);
  assertEquals([version.code, version.stderr], [0, ""]);
  assertMatch(version.stdout, /^\d+\.\d+\.\d+(\+[0-9a-f]{12}(\.modified)?)?\n$/);
});

function assertNoStack({ stderr }: Ended): void {
  assertNotMatch(stderr, /^\s+at |\.ts:\d+|node_modules|Uncaught/m);
}
