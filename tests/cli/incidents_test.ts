import { checkConfig } from "../../src/cli/config_command.ts";
import { incidents } from "../../src/cli/incidents.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { freePort } from "../support/free_port.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { startApp } from "../support/hub_in_process.ts";
import { HookServer } from "../incidents/hooks/support.ts";

function ioOf(env: Record<string, string> = {}) {
  const outs: string[] = [];
  const errs: string[] = [];
  const io = {
    out: (line: string) => void outs.push(line),
    err: (line: string) => void errs.push(line),
    env,
  };
  return { outs, errs, io };
}

Deno.test("incidents() prints what failed, newest first, for people and as JSON", async () => {
  await using app = await startApp({
    backends: { core: quickBackend("http://127.0.0.1:1/rpc") },
    sources: [quickSource("queue", "core")],
    auth: { tokens: [{ name: "t", token: "a-token-for-incidents" }] },
    shutdown: { drain: "10ms" },
  });
  const env = { HOLDFAST_TOKEN: "a-token-for-incidents" };
  let found: { kind: string; ended_at: number | null }[] = [];
  while (found.length < 2) {
    const { io, outs } = ioOf(env);
    assertEquals(await incidents(app.url, { json: true }, io), 0);
    found = outs.map((line) => JSON.parse(line));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assertEquals(new Set(found.map(({ kind }) => kind)), new Set(["backend_down", "source_stale"]));
  const { io, outs } = ioOf(env);
  assertEquals(await incidents(app.url, { since: "1h" }, io), 0);
  assertMatch(
    outs.join("\n"),
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ +backend down core .*, still .*$/m,
  );
  const refused = ioOf();
  assertEquals(await incidents(app.url, {}, refused.io), 1);
  assert(refused.errs[0]?.includes("token"), refused.errs.join());
});

Deno.test("incidents() says what is wrong with its arguments, and with the hub", async () => {
  const bad = ioOf();
  assertEquals(await incidents("http://127.0.0.1:1", { since: "soon" }, bad.io), 2);
  assert(bad.errs[0]?.includes("--since"));
  const gone = ioOf();
  assertEquals(await incidents(`http://127.0.0.1:${freePort()}`, {}, gone.io), 1);
  assertMatch(gone.errs[0] ?? "", /cannot be reached/);
});

Deno.test("checkConfig() with hooks sends each a test, and says who did not take it", async () => {
  await using good = new HookServer();
  await using bad = new HookServer(() => 500);
  const file = await Deno.makeTempFile({ suffix: ".json" });
  const hooks = [
    { name: "good", url: good.url, secret: "shared", on: ["stale", "fresh"] },
    { name: "bad", url: `${bad.url}?key=hidden`, body: { text: "{{text}}" } },
  ];
  await Deno.writeTextFile(file, JSON.stringify({ hooks }));
  try {
    const { io, outs, errs } = ioOf();
    assertEquals(await checkConfig(file, io, { hooks: true }), 1);
    assert(outs.includes("  hook good: took the test"), outs.join("\n"));
    assertEquals(errs, ["  hook bad: did not take the test: HTTP 500"]);
    assertEquals(JSON.parse(good.received[0]?.text ?? "").type, "source.fresh");
    assert(good.received[0]?.headers.has("webhook-signature"));
    assertEquals(JSON.parse(bad.received[0]?.text ?? ""), {
      text: 'Backend "test" is up again after 1 s.',
    });
  } finally {
    await Deno.remove(file);
  }
});
