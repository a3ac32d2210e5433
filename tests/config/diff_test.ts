import { describeChanges } from "../../src/config/diff.ts";
import { assert, assertEquals, assertFalse } from "../support/assert.ts";
import { configOf, CORE, SOURCE } from "./support.ts";

const BASE = {
  listen: "127.0.0.1:1",
  backends: { core: { ...CORE, headers: { authorization: "Bearer old-secret" } } },
  sources: [SOURCE, { ...SOURCE, channel: "other", params: { key: "old-secret" } }],
  auth: { tokens: [{ name: "a", token: "old-secret" }], jwt: { secret: "old-secret" } },
  tls: { cert: "a.pem", key: "a.key" },
};

function changes(after: unknown, before: unknown = BASE) {
  return describeChanges(configOf(before), configOf(after));
}

Deno.test("describeChanges() finds none between equals, whatever their order", () => {
  assertEquals(changes(BASE), { applies: [], needsRestart: [] });
  assertEquals(changes({ ...BASE, sources: BASE.sources.toReversed() }), {
    applies: [],
    needsRestart: [],
  });
});

Deno.test("describeChanges() tells what a reload puts in force", () => {
  const { applies, needsRestart } = changes({
    ...BASE,
    backends: {
      core: { ...BASE.backends.core, timeout: "2s", retry: { attempts: 4 } },
      here: { transport: "host" },
    },
    sources: [{ ...SOURCE, every: "1s" }, { ...SOURCE, channel: "new" }],
    auth: { ...BASE.auth, tokens: [{ name: "b", token: "new-token", publish: true }] },
    origins: ["https://a"],
    tls: { cert: "b.pem", key: "a.key" },
    log: { level: "debug" },
  });
  assertEquals(applies, [
    "backends.core.timeout: 5s -> 2s",
    "backends.core.retry.attempts: 2 -> 4",
    "sources.system_status.every: 5s -> 1s",
    "sources.other: removed",
    "auth.tokens.a: removed",
    'origins: [] -> ["https://a"]',
    'tls.cert: "a.pem" -> "b.pem"',
    'log.level: "info" -> "debug"',
    "backends.here: added",
    "sources.new: added",
    "auth.tokens.b: added",
  ]);
  assertEquals(needsRestart, []);
});

Deno.test("C32: describeChanges() shows no query of a method, where a key may stand", () => {
  const asking = (method: string) => ({ ...BASE, sources: [{ ...SOURCE, method }] });
  const { applies } = changes(asking("/b?key=new-secret"), asking("/a?key=old-secret"));
  assertEquals(applies, ['sources.system_status.method: "/a?…" -> "/b?…"']);
  assertEquals(changes(asking("/a?key=new"), asking("/a?key=old")).applies, [
    "sources.system_status.method: changed",
  ]);
});

Deno.test("describeChanges() tells what waits for a restart", () => {
  const { tls: _, ...rest } = BASE;
  const { applies, needsRestart } = changes({
    ...rest,
    listen: "[::1]:2",
    hub: { max_clients: 5, heartbeat_every: "1m" },
    trust_proxy: true,
    shutdown: { drain: "500ms" },
    cluster: { nats: "nats://me:pw@host" },
    log: { format: "pretty" },
  });
  assertEquals(applies, []);
  assertEquals(needsRestart.toSorted(), [
    "cluster: added",
    "hub.heartbeat_every: 10s -> 1m",
    "hub.max_clients: 10000 -> 5",
    'listen: "127.0.0.1:1" -> "[::1]:2"',
    'log.format: "json" -> "pretty"',
    "shutdown.drain: 3s -> 500ms",
    "tls: removed",
    "trust_proxy: false -> true",
  ]);
});

Deno.test("describeChanges() sees that a secret changed and does not show it", () => {
  const after = JSON.parse(JSON.stringify(BASE).replaceAll("old-secret", "new-secret"));
  const { applies } = changes(after);
  assertEquals(applies, [
    "backends.core.headers: changed",
    "sources.other.params: changed",
    "auth.tokens.a.token: changed",
    "auth.jwt.0.secret: changed",
  ]);
});

Deno.test("describeChanges() shows URLs without credentials and query", () => {
  const before = { backends: { core: { ...CORE, url: "http://me:pw1@host/rpc?key=1" } } };
  const moved = { backends: { core: { ...CORE, url: "http://me:pw2@other/rpc?key=2" } } };
  const rekeyed = { backends: { core: { ...CORE, url: "http://me:pw2@host/rpc?key=2" } } };
  assertEquals(changes(moved, before).applies, [
    "backends.core.url: http://host/rpc -> http://other/rpc",
  ]);
  assertEquals(changes(rekeyed, before).applies, ["backends.core.url: changed"]);
});

Deno.test("describeChanges() shows NATS servers without their login, and cluster times as such", () => {
  const cluster = { nats: ["nats://me:pw1@a:4222", "nats://b:4222"], lease: "5s" };
  const before = { cluster };
  const moved = { cluster: { ...cluster, nats: "nats://me:pw2@c:4222", lease: "8s" } };
  const { applies, needsRestart } = changes(moved, before);
  assertEquals(applies, []);
  assertEquals(needsRestart, [
    "cluster.nats: nats://a:4222, nats://b:4222 -> nats://c:4222",
    "cluster.lease: 5s -> 8s",
  ]);
  const rekeyed = { cluster: { ...cluster, nats: ["nats://me:pw2@a:4222", "nats://b:4222"] } };
  assertEquals(changes(rekeyed, before).needsRestart, ["cluster.nats: changed"]);
});

Deno.test("describeChanges() shows a transport that became another", () => {
  const after = { ...BASE, backends: { core: { transport: "host" } }, sources: [] };
  const lines = changes(after).applies;
  assert(lines.includes('backends.core.transport: "json-rpc" -> "host"'));
  assert(lines.includes("backends.core.url: removed"));
  assertFalse(lines.join().includes("secret"));
});
