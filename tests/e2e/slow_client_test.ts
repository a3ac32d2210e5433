import { assertEquals, assertGreater, assertGreaterOrEqual } from "../support/assert.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { HubProcess } from "../support/hub_process.ts";
import { RawClient } from "../support/raw_client.ts";
import { runPython } from "../support/python.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { connectionGone, hasConnection } from "../support/tcp_table.ts";
import { WsClient } from "../support/ws_client.ts";

/** Characters of one large value: a client that reads nothing is full after very few of them. */
const LARGE = 1_000_000;

/** What the others listen to: all but the large values, which would only cost time. */
const SMALL = { channels: "system_status,error,heartbeat" };

Deno.test("a client that never reads is dropped, its connection ended, and the others are told", async () => {
  await using backend = largeBackend();
  await using hub = await HubProcess.start(configFor(backend, "1s"));
  await using one = await WsClient.connect(hub.ws(SMALL));
  await using other = await WsClient.connect(hub.ws(SMALL));
  using slow = await RawClient.connect(hub.ws());
  const id = JSON.parse(await slow.readText()).data.session;
  const port = Number(new URL(hub.url).port);
  assertEquals(hasConnection(port, slow.port), true);

  for (const client of [one, other]) {
    const notice = await client.waitForCode("SLOW_CLIENT");
    assertEquals(notice.type, "connection_error");
    assertEquals(notice.data.component, "hub");
    assertEquals(notice.data.severity, "warning");
    assertEquals(notice.data.data.client_id, id);
  }
  // One second by contract; the rest is for a machine that is busy with other things.
  await connectionGone(port, slow.port, 6000);

  const from = one.frames.length;
  await one.waitForBeats(5);
  await one.waitForCount(5, ({ type, data }) => type === "system_status" && !data.is_stale, {
    from,
  });
  for (const client of [one, other]) {
    assertEquals(client.codes, ["SLOW_CLIENT"], "one notice, and nothing else went wrong");
    assertEquals(client.end, undefined);
  }
  const status = await (await fetch(`${hub.url}/status`)).json();
  assertEquals(status.slow_client_drops, 1);
  assertEquals(status.total_clients, 2);
  assertEquals(status.errors_by_code, { SLOW_CLIENT: 1 });
  const drops = hub.logs.filter(({ event }) => event === "client.disconnected");
  assertEquals(drops.map(({ client_id, code }) => [client_id, code]), [[id, "SLOW_CLIENT"]]);
});

Deno.test("a dropped client that reads on learns why: SLOW_CLIENT last, then close 1013", async () => {
  await using backend = largeBackend();
  await using hub = await HubProcess.start(configFor(backend, "3s"));
  await using other = await WsClient.connect(hub.ws(SMALL));
  using slow = await RawClient.connect(hub.ws());
  await other.waitForCode("SLOW_CLIENT");

  const { texts, closeCode } = await slow.readToEnd();
  const frames = texts.map((text) => JSON.parse(text));
  assertEquals(frames[0].type, "welcome");
  assertEquals(frames.at(-1).data.code, "SLOW_CLIENT");
  assertEquals(frames.at(-1).type, "connection_error");
  assertEquals(closeCode, 1013);
});

Deno.test("a slow reader gets fewer values, never an old one after a newer, and stays", async () => {
  await using backend = largeBackend();
  await using hub = await HubProcess.start(configFor(backend, "1m"));
  using slow = await RawClient.connect(hub.ws({ channels: "storage_update" }));
  const given: number[] = [];
  const startedAt = backend.given;
  const next = async () => {
    const { type, data } = JSON.parse(await slow.readText());
    if (type === "storage_update") given.push(data.data.n);
  };
  await next(); // the welcome
  // It pauses until the backend has given far more than any buffer on the way can hold.
  await using other = await WsClient.connect(hub.ws(SMALL));
  await other.waitForCount(40, ({ type, data }) => type === "system_status" && !data.is_stale);
  const before = backend.given;
  while ((given.at(-1) ?? 0) <= before) await next();

  assertEquals(given, given.toSorted((a, b) => a - b));
  assertEquals(new Set(given).size, given.length);
  assertGreaterOrEqual(before - startedAt, 2 * given.length, "values were skipped for it");
  assertGreater(given.length, 0);
  assertEquals(other.codes, []);
});

function largeBackend(): RpcBackend {
  const backend = new RpcBackend();
  backend.pad("GetStorage", LARGE);
  return backend;
}

function configFor(backend: RpcBackend, stallTimeout: string): object {
  return {
    backends: { core: quickBackend(backend.url, { timeout: "5s" }) },
    sources: [
      quickSource("system_status", "core"),
      quickSource("storage_update", "core", { method: "GetStorage" }),
    ],
    hub: { heartbeat_every: "200ms", stall_timeout: stallTimeout },
  };
}

Deno.test("C07: a client that takes a large value slowly is not stalled, on WebSocket and event stream", async () => {
  await using backend = largeBackend();
  await using hub = await HubProcess.start(configFor(backend, "1s"));
  const { hostname, port } = new URL(hub.url);
  const read = async (path: string) =>
    JSON.parse(await runPython("slow_reader.py", [hostname, port, path, "100000", "6"]));
  const readings = await Promise.all([
    read("/ws?channels=storage_update"),
    read("/events?channels=storage_update"),
  ]);
  for (const { taken, alive, slow } of readings) {
    assertEquals([alive, slow], [true, false], `${taken} bytes taken`);
    assertGreater(taken, 200_000); // amid the first value, several stall timeouts later
  }
  const drops = hub.logs.filter(({ code }) => code === "SLOW_CLIENT");
  assertEquals(drops, []);
});
