import type { App } from "../../src/server/app.ts";
import { publish } from "../../src/server/http/publish_route.ts";
import { assert, assertEquals, assertGreater } from "../support/assert.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { startApp, wsUrl } from "../support/hub_in_process.ts";
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
    statusChannels: () => [],
    isFed: () => false,
    publishEvent: () => Promise.resolve({ seq: 1 }),
    publishStatus: () => Promise.resolve({ seq: 1 }),
    bodyTimeoutMs: 20,
    isDraining: () => false,
  });
  assertEquals([response.status, cancelled], [400, true]);
});
