import type { App } from "../../src/server/app.ts";
import { publish } from "../../src/server/http/publish_route.ts";
import { assert, assertEquals, assertGreater } from "../support/assert.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { text } from "../support/hub_bench.ts";
import { configOf, startApp, wsUrl } from "../support/hub_in_process.ts";
import { RawClient } from "../support/raw_client.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { WsClient } from "../support/ws_client.ts";

const PUBLISHER = "publisher-secret-0123456789";

const AUTH = {
  tokens: [
    { name: "publisher", token: PUBLISHER, publish: true },
    { name: "reader", token: "reader-secret-0123456789" },
    {
      name: "narrow",
      token: "narrow-secret-0123456789",
      publish: true,
      channels: ["notification"],
    },
  ],
};

async function post(app: App, body: unknown, token: string | undefined = PUBLISHER) {
  const response = await fetch(`${app.url}/publish`, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: token === "" ? {} : { authorization: `Bearer ${token}` },
  });
  return { status: response.status, answer: await response.json() };
}

Deno.test("/publish broadcasts events and values, and tells their numbers", async () => {
  await using app = await startApp({ auth: AUTH });
  await using client = await WsClient.connect(`${wsUrl(app)}?token=${PUBLISHER}`);
  const event = await post(app, { channel: "notification", data: { title: "t", level: "info" } });
  const value = await post(app, { channel: "agent_status", data: [1, null, "x"] });
  assertEquals([event.status, value.status], [202, 202]);
  assertEquals(value.answer.seq, event.answer.seq + 1);
  const got = await client.waitFor(({ type }) => type === "agent_status");
  assertEquals(got.seq, value.answer.seq);
  const { data, is_stale, age_ms, cached_at } = got.data;
  assertEquals([data, is_stale], [[1, null, "x"], false]);
  assertGreater(1000, age_ms, "as old as the request that brought it");
  assertGreater(cached_at, 1_700_000_000);
  const notification = await client.waitFor(({ type }) => type === "notification");
  assertEquals([notification.seq, notification.data], [
    event.answer.seq,
    { title: "t", level: "info" },
  ]);
});

Deno.test("a published value is the latest one, for later subscribers and in /snapshot", async () => {
  await using app = await startApp({ auth: AUTH });
  for (const n of [1, 2]) await post(app, { channel: "agent_status", data: { n } });
  await using late = await WsClient.connect(`${wsUrl(app)}?token=${PUBLISHER}&channels=heartbeat`);
  late.send({ type: "subscribe", channels: ["agent_status"] });
  const frame = await late.waitFor(({ type }) => type === "agent_status");
  assertEquals([frame.data.data, frame.data.is_stale, frame.seq], [{ n: 2 }, false, undefined]);
  const headers = { authorization: `Bearer ${PUBLISHER}` };
  const one = await (await fetch(`${app.url}/snapshot/agent_status`, { headers })).json();
  assertEquals(one.data, { n: 2 });
  const all = await (await fetch(`${app.url}/snapshot`, { headers })).json();
  assertEquals([Object.keys(all), all.agent_status.data], [["agent_status"], { n: 2 }]);
});

Deno.test("/publish takes the right token, channel and body, and says which one is wrong", async () => {
  await using backend = new RpcBackend();
  await using app = await startApp({
    auth: AUTH,
    backends: { core: quickBackend(backend.url) },
    sources: [quickSource("system_status", "core")],
    hub: { max_message_bytes: 1000 },
  });
  const event = { channel: "notification", data: { title: "t" } };
  const cases: [status: number, body: unknown, token?: string][] = [
    [401, event, ""],
    [401, event, "wrong"],
    [403, event, "reader-secret-0123456789"],
    [202, event, "narrow-secret-0123456789"],
    [403, { channel: "agent_status", data: 1 }, "narrow-secret-0123456789"],
    [403, { channel: "heartbeat", data: {} }],
    [404, { channel: "no_such_channel", data: 1 }],
    [409, { channel: "system_status", data: 1 }],
    [413, { channel: "notification", data: { title: "x".repeat(1000) } }],
    [400, "{"],
    [400, { channel: "notification" }],
  ];
  for (const [status, body, token] of cases) {
    const { status: got, answer } = await post(app, body, token);
    assertEquals(got, status, JSON.stringify(body).slice(0, 80));
    assert(status === 202 || typeof answer.message === "string");
  }
  const wrong = await fetch(`${app.url}/publish`);
  assertEquals([wrong.status, wrong.headers.get("allow")], [405, "POST"]);
  await wrong.body?.cancel();
});

Deno.test("where no auth is configured nobody may publish", async () => {
  await using app = await startApp({});
  assertEquals((await post(app, { channel: "notification", data: {} }, "")).status, 403);
  const get = await fetch(`${app.url}/publish`);
  assertEquals([get.status, get.headers.get("allow")], [405, "POST"]);
  await get.body?.cancel();
});

Deno.test("publish() waits for a body that drips for its time and no longer", async () => {
  let cancelled = false;
  const drip = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode(`{"channel":`)),
    cancel: () => {
      cancelled = true;
    },
  });
  const request = new Request("http://hub/publish", { method: "POST", body: drip });
  const response = await publish(request, {
    identity: { mayRead: () => true, mayPublish: true },
    maxBytes: 1000,
    publisher: {
      statusChannels: () => [],
      isFed: () => false,
      publishEvent: () => Promise.resolve({ seq: 1 }),
      publishValue: () => Promise.resolve({ seq: 1 }),
    },
    bodyTimeoutMs: 20,
    isDraining: () => false,
  });
  assertEquals([response.status, cancelled], [400, true]);
});

/** Asks for polls, and tells what was answered. */
async function askToPoll(app: App, body: unknown, token = PUBLISHER) {
  const headers = { authorization: `Bearer ${token}` };
  const init = { method: "POST", body: JSON.stringify(body), headers };
  const response = await fetch(`${app.url}/poll`, init);
  return { status: response.status, answer: await response.json() };
}

Deno.test("a published value grows stale after what is configured, or after what its publisher said", async () => {
  await using app = await startApp({
    auth: AUTH,
    channels: { backup_status: { stale_after: "300ms" }, report: {} },
  });
  await using client = await WsClient.connect(`${wsUrl(app)}?token=${PUBLISHER}`);
  assertEquals(client.frames[0]?.data.channels.slice(0, 2), ["backup_status", "report"]);
  await post(app, { channel: "backup_status", data: { ok: true } });
  await post(app, { channel: "report", data: 1, valid_for: "200ms" });
  for (const channel of ["backup_status", "report"]) {
    const fresh = await client.waitFor(({ type }) => type === channel);
    assertEquals(fresh.data.is_stale, false);
    const stale = await client.waitFor(({ type, data }) => type === channel && data.is_stale);
    const { code, component, severity, data } = stale.data.error;
    assertEquals([code, component, severity, data], [
      "PUBLISHER_SILENT",
      "client",
      "warning",
      { channel },
    ]);
  }
  const { sources } = app.statusReport();
  assertEquals([sources.backup_status?.is_stale, sources.report?.is_stale], [true, true]);
  await post(app, { channel: "backup_status", data: { ok: true } });
  assertEquals((await snapshot(app, "backup_status")).is_stale, false, "and fresh by the next one");
});

async function snapshot(app: App, channel: string) {
  const headers = { authorization: `Bearer ${PUBLISHER}` };
  return await (await fetch(`${app.url}/snapshot/${channel}`, { headers })).json();
}

Deno.test("a well-known channel is offered from the first value on", async () => {
  await using app = await startApp({ auth: AUTH });
  await using client = await WsClient.connect(`${wsUrl(app)}?token=${PUBLISHER}`);
  await using early = await WsClient.connect(
    `${wsUrl(app)}?token=${PUBLISHER}&channels=agent_status`,
  );
  assertEquals(client.frames[0]?.data.channels.includes("agent_status"), false);
  await post(app, { channel: "agent_status", data: 1 });
  const told = await client.waitFor(({ type }) => type === "subscribed");
  assert(told.data.channels.includes("agent_status"));
  for (const each of [client, early]) {
    const { data } = await each.waitFor(({ type }) => type === "agent_status");
    assertEquals([data.data, data.is_stale], [1, false]);
  }
});

Deno.test("C50: a channel that is published on no more says a last word and leaves", async () => {
  await using app = await startApp({ auth: AUTH, channels: { report: {} } });
  await using client = await WsClient.connect(`${wsUrl(app)}?token=${PUBLISHER}`);
  await post(app, { channel: "report", data: 1 });
  await app.reload(configOf({ auth: AUTH }));
  const last = await client.waitFor(({ type, data }) => type === "report" && data.is_stale);
  assertEquals(last.data.error.code, "SOURCE_REMOVED");
  await using later = await WsClient.connect(`${wsUrl(app)}?token=${PUBLISHER}`);
  assertEquals(later.frames[0]?.data.channels.includes("report"), false);
  const gone = await snapshot(app, "report");
  assertEquals(typeof gone.message, "string");
});

Deno.test("/poll has sources polled at once, for those who may publish", async () => {
  await using backend = new RpcBackend();
  await using app = await startApp({
    auth: AUTH,
    backends: { core: quickBackend(backend.url) },
    sources: [
      { channel: "system_status", backend: "core", method: "GetSystemStatus", every: "1h" },
    ],
  });
  await using client = await WsClient.connect(`${wsUrl(app)}?token=${PUBLISHER}`);
  await client.waitFor(({ type }) => type === "system_status");
  const before = client.frames.length;
  const { status, answer } = await askToPoll(app, { channels: ["system_status"] });
  assertEquals([status, answer], [202, { channels: ["system_status"] }]);
  await client.waitFor(({ type }) => type === "system_status", { from: before });

  const cases: [status: number, body: unknown, token?: string][] = [
    [403, { channels: ["system_status"] }, "reader-secret-0123456789"],
    [403, { channels: ["system_status"] }, "narrow-secret-0123456789"],
    [404, { channels: ["agent_status"] }],
    [404, { channels: ["x".repeat(200)] }],
    [400, { channels: [] }],
    [400, { channels: [1] }],
    [400, { channels: "system_status" }],
    [400, { channels: ["system_status"], more: 1 }],
    [400, []],
  ];
  for (const [status, body, token] of cases) {
    const refused = await askToPoll(app, body, token);
    assertEquals(refused.status, status, JSON.stringify(body));
    assert(typeof refused.answer.message === "string");
  }
});

Deno.test("C45: what was accepted is delivered, and publishing ends with the door", async () => {
  const token = "publisher-secret-0123456789";
  const app = await startApp({
    auth: { tokens: [{ name: "p", token, publish: true }] },
    shutdown: { drain: "1s" },
  });
  await using client = await WsClient.connect(`${wsUrl(app)}?channels=notification&token=${token}`);
  const accepted: number[] = [];
  let refused = 0;
  let isOver = false;
  let n = 0;
  const publisher = async () => {
    while (!isOver) {
      const id = n++;
      try {
        const response = await fetch(`${app.url}/publish`, {
          method: "POST",
          headers: { authorization: `Bearer ${token}` },
          body: JSON.stringify({ channel: "notification", data: { id } }),
        });
        await response.body?.cancel();
        if (response.status === 202) accepted.push(id);
        else {
          assertEquals([response.status, response.headers.get("retry-after")], [503, "5"]);
          refused += 1;
        }
      } catch (error) {
        if (!(error instanceof TypeError)) throw error; // the door is gone
      }
    }
  };
  const publishers = Array.from({ length: 8 }, publisher);
  await client.waitFor(({ data }) => data.id === 100);
  // One that takes nothing keeps the drain going, and the publishers busy meanwhile.
  using slow = await RawClient.connect(`${wsUrl(app)}?channels=notification&token=${token}`);
  for (let time = 0; time < 100; time++) {
    app.hub.broadcast("notification", text({ id: -1, filler: "x".repeat(60_000) }));
  }
  await app.shutdown();
  isOver = true;
  await Promise.all(publishers);
  assertEquals(slow.handshake.status, 101);
  assert(refused > 0, "it was asked during the drain");
  const delivered = new Set(client.frames.map(({ data }) => data.id));
  assertEquals(accepted.filter((id) => !delivered.has(id)), []);
  assert(accepted.length > 100);
});
