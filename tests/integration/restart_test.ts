import { assert, assertEquals } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { startApp, wsUrl } from "../support/hub_in_process.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { WsClient } from "../support/ws_client.ts";
import { HookServer } from "../incidents/hooks/support.ts";
import { readOnlyDisk, StateDir } from "../state/support.ts";

const TOKEN = "a-token-that-may-publish";
const AUTH = { tokens: [{ name: "test", token: TOKEN, publish: true }] };
const HEADERS = { authorization: `Bearer ${TOKEN}` };

function configOf(dir: StateDir, backend: RpcBackend, more: object = {}): object {
  return {
    state: { dir: dir.path },
    auth: AUTH,
    backends: { core: quickBackend(backend.url) },
    sources: [quickSource("queue", "core", { stale_after: "10s" })],
    shutdown: { drain: "50ms", reconnect_within: "0s" },
    ...more,
  };
}

async function publish(url: string, data: object): Promise<number> {
  const body = JSON.stringify({ channel: "notification", data });
  const response = await fetch(`${url}/publish`, { method: "POST", headers: HEADERS, body });
  assertEquals(response.status, 202);
  return (await response.json()).seq;
}

async function read(url: string, path: string) {
  return await (await fetch(`${url}${path}`, { headers: HEADERS })).json();
}

Deno.test("after a restart clients go on where they were, with nothing missing and nothing twice", async () => {
  await using dir = await StateDir.make();
  await using backend = new RpcBackend();
  const before = await startApp(configOf(dir, backend));
  const client = await WsClient.connect(`${wsUrl(before)}?token=${TOKEN}`);
  const { session = "", epoch = "" } = client.frames[0]?.data ?? {};
  const first = await publish(before.url, { n: 1 });
  await client.waitFor((frame) => frame.seq === first);
  await client.waitFor(({ type }) => type === "queue");
  const since = Math.max(...client.frames.map(({ seq = 0 }) => seq));
  await client[Symbol.asyncDispose]();
  const missed = [await publish(before.url, { n: 2 }), await publish(before.url, { n: 3 })];
  await before[Symbol.asyncDispose]();
  backend.stop();

  await using after = await startApp(configOf(dir, backend));
  const query = new URLSearchParams({ token: TOKEN, session, epoch, since: String(since) });
  await using again = await WsClient.connect(`${wsUrl(after)}?${query}`);
  const welcome = again.frames[0]?.data;
  assertEquals([welcome?.epoch, welcome?.recovered, welcome?.gap], [epoch, true, false]);
  const next = await publish(after.url, { n: 4 });
  await again.waitFor((frame) => frame.seq === next);
  const events = again.frames.filter(({ type }) => type === "notification");
  assertEquals(events.map(({ seq, data }) => [seq, data.n]), [
    [missed[0], 2],
    [missed[1], 3],
    [next, 4],
  ]);
  // The last good value, stale until polled, and as old as it is.
  const value = await again.waitFor(({ type }) => type === "queue");
  assertEquals([value.data.is_stale, value.data.error.code], [true, "RPC_UNAVAILABLE"]);
  assert(value.data.data.n > 0 && value.data.age_ms > 0);
  const { state } = await read(after.url, "/status");
  assertEquals([state.dir, state.ok, state.why], [dir.path, true, undefined]);
});

Deno.test("after a restart a value says that the hub was restarted, and why a client was closed is told", async () => {
  await using dir = await StateDir.make();
  await using backend = new RpcBackend();
  const before = await startApp(configOf(dir, backend));
  const client = await WsClient.connect(`${wsUrl(before)}?token=${TOKEN}`);
  const { session = "", epoch = "" } = client.frames[0]?.data ?? {};
  await client.waitFor(({ type }) => type === "queue");
  for (let n = 0; n < 20; n++) client.send({ type: "nonsense" }); // no more than it reads
  assertEquals((await client.waitForEnd()).code, 1008, "it is closed for its manners");
  await client[Symbol.asyncDispose]();
  await before[Symbol.asyncDispose]();
  backend.set("GetSystemStatus", "hang");

  await using after = await startApp(configOf(dir, backend));
  const snapshot = await read(after.url, "/snapshot/queue");
  assert(snapshot.error.details.includes("restarted"), snapshot.error.details);
  const query = new URLSearchParams({ token: TOKEN, session, epoch, since: "0" });
  await using again = await WsClient.connect(`${wsUrl(after)}?${query}`);
  assertEquals(again.frames[0]?.data.previous_close, "BAD_MESSAGE");
});

Deno.test("a restart ends no incident, and hooks are owed what they were owed", async () => {
  await using dir = await StateDir.make();
  await using backend = new RpcBackend();
  let isUp = false;
  await using server = new HookServer(() => isUp ? 204 : 503);
  const hooks = [{ name: "ops", url: server.url, secret: "shared", on: ["down", "up"] }];
  backend.stop();
  const before = await startApp(configOf(dir, backend, { hooks }));
  await eventually("the hook was tried", () => server.received.length > 0);
  await before[Symbol.asyncDispose]();

  isUp = true;
  await using after = await startApp(configOf(dir, backend, { hooks }));
  const { backends } = await read(after.url, "/status");
  assertEquals(backends.core.state, "open");
  assert(backends.core.retry_after_ms < 60_000);
  const { incidents } = await read(after.url, "/incidents");
  const kinds = incidents.map((each: { kind: string; ended_at: unknown }) =>
    `${each.kind} ${each.ended_at === null ? "lasts" : "over"}`
  );
  assertEquals(kinds[0], "hub_down over");
  assert(kinds.includes("backend_down lasts"), kinds.join());
  backend.start();
  await eventually("down and up were told", () => {
    const types = server.received.map(({ text }) => JSON.parse(text).type);
    return types.includes("backend.up");
  });
  const told = new Map(server.received.map(({ headers, text }) => [
    headers.get("webhook-id"),
    JSON.parse(text),
  ]));
  assertEquals([...told.values()].map(({ type }) => type), ["backend.down", "backend.up"]);
  const [down, up] = [...told.values()];
  assertEquals(down.incident.id, up.incident.id);
  assert(up.incident.ended_at !== null);
});

Deno.test("incidents and uptime show a limited token only what it may read", async () => {
  await using backend = new RpcBackend();
  backend.stop();
  const some = "a-token-for-one-channel";
  await using app = await startApp({
    auth: { tokens: [...AUTH.tokens, { name: "some", token: some, channels: ["queue"] }] },
    backends: { core: quickBackend(backend.url), other: quickBackend(backend.url) },
    sources: [quickSource("queue", "core"), quickSource("disk", "other")],
    shutdown: { drain: "10ms" },
  });
  const ask = async (path: string) => {
    const response = await fetch(`${app.url}${path}`, {
      headers: { authorization: `Bearer ${some}` },
    });
    return await response.json();
  };
  for (;;) {
    const { incidents } = await read(app.url, "/incidents");
    if (incidents.length === 4) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { incidents } = await ask("/incidents");
  const seen = incidents.map((each: Record<string, string>) => each.channel ?? each.backend);
  assertEquals(seen.sort(), ["core", "queue"]);
  assertEquals(Object.keys(await ask("/uptime?for=1h")), ["queue"]);
  for (
    const path of [
      "/incidents?since=soon",
      "/incidents?limit=0",
      "/incidents?open=yes",
      "/uptime?for=0s",
    ]
  ) {
    const response = await fetch(`${app.url}${path}`, { headers: HEADERS });
    assertEquals(response.status, 400, path);
    await response.body?.cancel();
  }
  const { incidents: one } = await read(app.url, "/incidents?limit=1&since=1h&open=1&channel=disk");
  assertEquals(one.map((each: Record<string, string>) => each.channel), ["disk"]);
});

Deno.test("a hub of a cluster that starts while NATS is away shows what it kept, as stale", async () => {
  await using dir = await StateDir.make();
  await using backend = new RpcBackend();
  const before = await startApp(configOf(dir, backend));
  await eventually(
    "there is a value",
    () => before.statusReport().sources["queue"]?.is_stale === false,
  );
  await before[Symbol.asyncDispose]();
  const cluster = { nats: "nats://127.0.0.1:1", grace: "1m" };
  await using after = await startApp(configOf(dir, backend, { cluster }));
  const value = await read(after.url, "/snapshot/queue");
  assertEquals([value.is_stale, value.error.code], [true, "RPC_UNAVAILABLE"]);
  assert(value.data.n > 0);
});

for (const [who, workers] of [["a hub", 1], ["a hub of two threads", 2]] as const) {
  Deno.test(`what ${who} said while the state could neither be written nor marked is a gap in the next life`, async () => {
    await using dir = await StateDir.make();
    await using backend = new RpcBackend();
    const path = `${dir.path}/state`;
    const config = configOf(dir, backend, { state: { dir: path }, workers });
    const before = await startApp(config);
    const client = await WsClient.connect(`${wsUrl(before)}?token=${TOKEN}`);
    const { session = "", epoch: first } = client.frames[0]?.data ?? {};
    await publish(before.url, { n: 1 });
    {
      using _disk = readOnlyDisk();
      await Deno.rename(path, `${path}-away`); // where it could be marked
      await publish(before.url, { n: 2 });
      await client.waitFor(({ type }) => type === "welcome", { from: 1 });
      const seq = await publish(before.url, { n: 3 });
      await client.waitFor((frame) => frame.seq === seq);
      await before[Symbol.asyncDispose]();
    }
    await Deno.rename(`${path}-away`, path);
    const [, welcome] = client.frames.filter(({ type }) => type === "welcome");
    const { epoch, recovered, gap } = welcome?.data ?? {};
    // It has missed nothing, but the next life cannot know how far it has got.
    assertEquals([epoch === first, recovered, gap], [false, true, false]);
    const events = client.frames.filter(({ type }) => type === "notification");
    assertEquals(events.map(({ data }) => data.n), [1, 2, 3]);
    const since = Math.max(...events.map(({ seq = 0 }) => seq));
    await client[Symbol.asyncDispose]();

    await using after = await startApp(config);
    const query = new URLSearchParams({ token: TOKEN, session, epoch, since: String(since) });
    await using again = await WsClient.connect(`${wsUrl(after)}?${query}`);
    assertEquals([again.frames[0]?.data.recovered, again.frames[0]?.data.gap], [false, true]);
  });
}
