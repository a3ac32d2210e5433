import { assertEquals, assertGreaterOrEqual, assertRejects } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { configOf, startApp, statusOf, wsUrl } from "../support/hub_in_process.ts";
import { RawClient } from "../support/raw_client.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { WsClient } from "../support/ws_client.ts";

// What these tests leave open (timers, sockets, calls under way), the test runner's own checks find.

Deno.test("App.shutdown() leaves nothing behind, with clients inside and a call under way", async () => {
  await using backend = new RpcBackend();
  backend.set("GetStorage", "hang");
  await using app = await startApp(configFor(backend));
  const clients = await Promise.all([0, 1, 2].map(() => WsClient.connect(wsUrl(app))));
  for (const client of clients) await client.waitFor(({ type }) => type === "system_status");

  await app.shutdown();
  for (const client of clients) {
    assertEquals((await client.waitForEnd()).code, 1001);
    assertEquals(client.codes, ["SERVER_SHUTDOWN"]);
  }
  await eventually("nobody is counted any more", () => app.hub.size === 0);
});

Deno.test("App.shutdown() leaves nothing behind with a stalled client inside", async () => {
  await using backend = new RpcBackend();
  backend.pad("GetSystemStatus", 1_000_000);
  await using app = await startApp({ ...configFor(backend), shutdown: { drain: "200ms" } });
  using _stalled = await RawClient.connect(wsUrl(app));
  await using witness = await WsClient.connect(`${wsUrl(app)}?channels=heartbeat`);
  await witness.waitFor(() => backend.calls("GetSystemStatus") > 8);

  await app.shutdown();
  assertEquals((await witness.waitForEnd()).code, 1001);
});

Deno.test("App.shutdown() leaves nothing behind while a breaker is open", async () => {
  await using backend = new RpcBackend();
  await backend.stop();
  await using app = await startApp(configFor(backend));
  await using client = await WsClient.connect(wsUrl(app));
  while (app.statusReport().backends["core"]?.state !== "open") await client.waitForBeats(1);
  await app.shutdown();
});

Deno.test("App.start() works again on the port of an app that was just shut down", async () => {
  await using backend = new RpcBackend();
  const first = await startApp(configFor(backend));
  const { port } = new URL(first.url);
  const client = await WsClient.connect(wsUrl(first));
  await first.shutdown();
  await client.waitForEnd();

  await using second = await startApp({ ...configFor(backend), listen: `127.0.0.1:${port}` });
  await using again = await WsClient.connect(wsUrl(second));
  await again.waitFor(({ type }) => type === "system_status");
  assertEquals(again.frames[0]?.data.epoch === client.frames[0]?.data.epoch, false);
});

Deno.test("App.start() on a taken port throws AddrInUse and leaves nothing behind", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using backend = new RpcBackend();
  const listen = `127.0.0.1:${taken.addr.port}`;
  await assertRejects(
    () => startApp({ ...configFor(backend), listen }),
    Deno.errors.AddrInUse,
  );
  assertEquals(backend.calls(), 0, "nothing is polled by an app that did not start");
});

Deno.test("feed, hub and edge agree: one poll reaches clients, /snapshot and /status alike", async () => {
  await using backend = new RpcBackend();
  await using app = await startApp(configFor(backend));
  await using client = await WsClient.connect(wsUrl(app));
  const frame = await client.waitFor(({ type }) => type === "system_status");
  const snapshot = await (await fetch(`${app.url}/snapshot/system_status`)).json();
  assertEquals(snapshot.data.method, frame.data.data.method);
  assertGreaterOrEqual(snapshot.data.n, frame.data.data.n);
  assertEquals(snapshot.is_stale, false);
  const { sources, total_clients } = await statusOf(app);
  assertEquals(sources.system_status.is_stale, false);
  assertEquals(total_clients, 1);
});

function configFor(backend: RpcBackend): object {
  return {
    backends: { core: quickBackend(backend.url, { timeout: "5s" }) },
    sources: [
      quickSource("system_status", "core"),
      quickSource("storage_update", "core", { method: "GetStorage" }),
    ],
    hub: { heartbeat_every: "200ms" },
    shutdown: { drain: "1s" },
  };
}

Deno.test("C10: a hub starts and serves with every limit at its highest, and at its lowest", async () => {
  const highest = {
    heartbeat_every: "24d",
    ping_every: "24d",
    request_timeout: "24d",
    stall_timeout: "12d",
    history_for: "24d",
    max_clients: 1_000_000,
    max_clients_per_ip: 1_000_000,
    max_message_bytes: 63 * 1024 * 1024,
    messages_per_second: 1_000_000,
    outbox_messages: 1_000_000,
    high_water_bytes: 1024 * 1024 * 1024,
    max_buffered_bytes: 1024 * 1024 * 1024 * 1024,
    history_messages: 1_000_000,
  };
  const lowest = {
    heartbeat_every: "10ms",
    ping_every: "0s",
    request_timeout: "5s", // less could end this test's own requests on a busy machine
    stall_timeout: "10ms",
    history_for: "0s",
    max_clients: 1,
    max_message_bytes: 1,
    messages_per_second: 1,
    outbox_messages: 1,
    high_water_bytes: 1,
    max_buffered_bytes: 1,
    history_messages: 0,
  };
  assertEquals(Object.keys(highest).sort(), Object.keys(configOf({}).hub).sort(), "all of them");
  for (const hub of [highest, lowest]) {
    await using app = await startApp({ hub, shutdown: { drain: "10ms" } });
    await using client = await WsClient.connect(wsUrl(app));
    assertEquals(client.frames[0]?.type, "welcome");
    const response = await fetch(`${app.url}/healthz`);
    assertEquals([response.status, (await response.json()).status], [200, "ok"]);
  }
});
