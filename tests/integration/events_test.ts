import { json } from "../../src/protocol/codec.ts";
import type { App } from "../../src/server/app.ts";
import { assert, assertEquals, assertGreater } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { startApp, statusOf, wsUrl } from "../support/hub_in_process.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { SseClient } from "../support/sse_client.ts";
import { within } from "../support/until.ts";
import { WsClient } from "../support/ws_client.ts";

function eventsUrl(app: App, query = ""): string {
  return `${app.url}/events${query}`;
}

/** Asks until there is a place. */
async function letIn(app: App): Promise<void> {
  for (;;) {
    const { status, body } = await fetch(eventsUrl(app));
    await body?.cancel();
    if (status === 200) return;
  }
}

Deno.test("/events carries the frames of /ws, with their numbers as ids", async () => {
  await using backend = new RpcBackend();
  await using app = await startApp({
    backends: { core: quickBackend(backend.url) },
    sources: [quickSource("system_status", "core")],
    hub: { heartbeat_every: "50ms" },
  });
  await using socket = await WsClient.connect(`${wsUrl(app)}`);
  await using stream = await SseClient.connect(eventsUrl(app));
  const { headers } = stream.response;
  assertEquals(headers.get("content-type"), "text/event-stream; charset=utf-8");
  assertEquals(headers.get("cache-control"), "no-store, no-transform");
  await stream.waitForType("welcome");
  assertEquals(stream.frames[0].type, "welcome");
  assertGreater(stream.blocks.find(({ retry }) => retry !== undefined)?.retry ?? 0, 0);
  app.hub.broadcast("notification", json({ title: "t\n\nid: 99\u2028" }));
  const { frame } = await stream.waitForType("notification");
  assertEquals(frame.data, { title: "t\n\nid: 99\u2028" }, "no value can break a line");
  await stream.waitFor(({ frame }) => frame?.type === "heartbeat" && frame.data.clients_connected);
  await socket.waitFor(({ seq }) => seq === frame.seq);
  const { at: _, ...same } = socket.frames.find(({ seq }) => seq === frame.seq) ?? { at: 0 };
  assertEquals(frame, same);
  const { epoch } = stream.frames[0].data;
  for (const { id, frame } of stream.blocks) {
    const seq = frame?.type === "welcome" ? frame.data.seq : frame?.seq;
    assertEquals(id, seq === undefined ? undefined : `${seq}.${epoch}`);
  }
});

Deno.test("/events takes channels, and tells what is wrong with them", async () => {
  await using app = await startApp({});
  await using stream = await SseClient.connect(
    eventsUrl(app, "?channels=notification,nonsense&batch=1"),
  );
  const { frame } = await stream.waitForType("error");
  assertEquals(frame.data.code, "UNKNOWN_CHANNEL");
  app.hub.broadcast("heartbeat", json({}));
  app.hub.broadcast("notification", json({ title: "x" }));
  await stream.waitForType("notification");
  assertEquals(stream.frames.map(({ type }) => type), ["welcome", "error", "notification"]);
});

Deno.test("/events resumes after its last id, without a gap or a double", async () => {
  await using app = await startApp({});
  let lastEventId: string | undefined;
  const titles: number[] = [];
  let published = 0;
  const say = () => app.hub.broadcast("notification", json({ title: published++ }));
  for (let connection = 0; connection < 4; connection++) {
    await using stream = await SseClient.connect(
      eventsUrl(app, "?channels=notification"),
      lastEventId === undefined ? {} : { lastEventId },
    );
    for (let n = 0; n < 5; n++) say();
    await stream.waitFor(({ frame }) => frame?.data.title === published - 1);
    const { recovered, gap } = stream.frames[0].data;
    assertEquals([recovered, gap], [connection > 0, false]);
    titles.push(...stream.frames.slice(1).map(({ data }) => data.title));
    lastEventId = stream.lastEventId;
    say(); // while nobody listens
    await stream[Symbol.asyncDispose]();
  }
  // The last one said, and what the stream still got as it was being closed, is not asked for.
  assertEquals(titles, [...new Array(titles.length).keys()]);
  assertEquals(titles.length, published - 1);
  await using late = await SseClient.connect(eventsUrl(app), { lastEventId: "12345" });
  await late.waitForType("welcome");
  assertEquals(late.frames[0].data.gap, true, "an id that was never given");
});

Deno.test("/events?delta=1 tells what changed of values", async () => {
  await using app = await startApp({});
  await using stream = await SseClient.connect(eventsUrl(app, "?delta=1&channels=agent_status"));
  await stream.waitForType("welcome");
  const standing = { is_stale: false, cached_at: 5, age_ms: 0 };
  for (const n of [1, 2, 2]) {
    app.hub.value("agent_status", { data: json({ n, rest: "x".repeat(200) }), ...standing });
  }
  await stream.waitFor(({ frame }) => frame?.data.same === true);
  assertEquals(stream.frames.slice(1).map(({ data }) => data), [
    { rev: 1, data: { n: 1, rest: "x".repeat(200) }, ...standing },
    { rev: 2, base: 1, patch: [{ op: "replace", path: "/n", value: 2 }], ...standing },
    { rev: 2, same: true, ...standing },
  ]);
});

Deno.test("/events keeps a quiet stream alive with comments, and only a quiet one", async () => {
  await using app = await startApp({ hub: { ping_every: "20ms" } });
  await using stream = await SseClient.connect(eventsUrl(app, "?channels=agent_status"));
  await stream.waitFor(({ comment }) => comment !== undefined);
  assertEquals(stream.frames.map(({ type }) => type), ["welcome"]);
});

Deno.test("/events gives the place back when its client goes, and forgets the client", async () => {
  await using app = await startApp({ hub: { max_clients: 1 } });
  for (let time = 0; time < 3; time++) {
    await using stream = await SseClient.connect(eventsUrl(app));
    await stream.waitForType("welcome");
    const full = await fetch(eventsUrl(app));
    assertEquals(full.status, 503);
    await full.body?.cancel();
    await stream[Symbol.asyncDispose]();
    await eventually("the client is forgotten", () => app.hub.size === 0);
  }
  assertEquals((await statusOf(app)).read_errors, 0, "event streams know no better way to go");
});

Deno.test("/events drops a client that never reads, gives its place back and tells the others", async () => {
  await using app = await startApp({
    hub: { max_clients: 2, stall_timeout: "300ms", heartbeat_every: "50ms" },
    channels: { compression_update: {} },
  });
  await using witness = await WsClient.connect(`${wsUrl(app)}?channels=connection_error,heartbeat`);
  const { hostname, port } = new URL(app.url);
  const never = await Deno.connect({ hostname, port: Number(port) });
  try {
    await never.write(
      new TextEncoder().encode(`GET /events HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`),
    );
    await eventually("it is let in", () => app.hub.size === 2);
    const padding = "x".repeat(100_000);
    const feeding = setInterval(
      () => app.hub.broadcast("compression_update", json({ data: padding })),
      5,
    );
    const { data } = await witness.waitForCode("SLOW_CLIENT").finally(() => clearInterval(feeding));
    assertEquals(typeof data.data.client_id, "string");
    const { slow_client_drops, total_clients } = await statusOf(app);
    assertEquals([slow_client_drops, total_clients], [1, 1]);
    await within(letIn(app), { explain: () => "its place was not given back" });
  } finally {
    never.close();
  }
});

Deno.test("/events answers HEAD with headers alone, and nothing but GET", async () => {
  await using app = await startApp({ hub: { max_clients: 1 } });
  for (let time = 0; time < 3; time++) {
    const head = await fetch(eventsUrl(app), { method: "HEAD" });
    assertEquals([head.status, await head.text()], [200, ""]);
    assertEquals(head.headers.get("content-type"), "text/event-stream; charset=utf-8");
  }
  assertEquals((await statusOf(app)).total_clients, 0);
  const post = await fetch(eventsUrl(app), { method: "POST" });
  assertEquals([post.status, post.headers.get("allow")], [405, "GET"]);
  await post.body?.cancel();
});

Deno.test("/events tells of a shutdown and ends", async () => {
  await using app = await startApp({ shutdown: { drain: "1s" } });
  await using stream = await SseClient.connect(eventsUrl(app, "?channels=agent_status"));
  await stream.waitForType("welcome");
  await app.shutdown();
  await stream.waitForEnd();
  assertEquals(stream.frames.at(-1)?.data.code, "SERVER_SHUTDOWN");
  assert(stream.frames.at(-1)?.data.data.reconnect_after_ms > 0);
});
