/**
 * Many clients, some of them stalled, through an outage and a stop. `HOLDFAST_LOAD_CLIENTS`
 * (default 5000) is how many.
 */
import { assert, assertEquals, assertLess, assertLessOrEqual } from "../support/assert.ts";
import { quickBackend } from "../support/hub_config.ts";
import { HubProcess, type LogLine } from "../support/hub_process.ts";
import { handleLimit } from "../support/process_facts.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { numberFromEnv, say } from "../support/seed.ts";
import { WsClient } from "../support/ws_client.ts";
import { Crowd } from "./crowd.ts";
import { StalledClients } from "./stalled_clients.ts";

const CLIENTS = 5000;
const STALLED_SHARE = 0.05;
const PROCESSES = 3;
/** Handles a process needs for itself. */
const SPARE_HANDLES = 200;
const DRAIN_MS = 3000;
/** What the contract adds to the drain, and what is for a machine busy with other things. */
const AFTER_DRAIN_MS = 2000;
const ROOM_MS = 5000;
const RECONNECT_WITHIN_MS = 5000;

Deno.test("thousands of clients are told of an outage and of the stop, and all are closed", async () => {
  const clients = affordable(numberFromEnv("HOLDFAST_LOAD_CLIENTS", CLIENTS));
  const stalledCount = Math.round(clients * STALLED_SHARE);
  const healthy = clients - stalledCount - 1; // one is the witness
  await using backend = new RpcBackend();
  backend.pad("GetStorage", 20_000);
  await using hub = await HubProcess.start(configFor(backend));
  await using witness = await WsClient.connect(hub.ws({ channels: "error,heartbeat" }));

  const begun = performance.now();
  using _stalled = await StalledClients.connect(
    hub.ws({ channels: "storage_update" }),
    stalledCount,
  );
  await using crowd = new Crowd(
    hub.ws({ channels: "system_status,notification,error,heartbeat" }),
    healthy,
    PROCESSES,
  );
  assertEquals(await crowd.connected(120_000), healthy);
  const connectedAfterMs = performance.now() - begun;
  const calls = backend.calls("GetStorage");
  // More than the kernel takes for one that does not read.
  await witness.waitFor(() => backend.calls("GetStorage") - calls > 40, { timeoutMs: 60_000 });

  backend.setAll("http_500");
  await witness.waitForCode("CIRCUIT_OPEN", { timeoutMs: 60_000 });
  backend.setAll("ok");
  await witness.waitForCode("RPC_RECOVERED", { timeoutMs: 60_000 });
  await witness.waitForBeats(2);
  const status = await (await fetch(`${hub.url}/status`)).json();
  assertEquals(status.total_clients, clients);
  assertEquals(status.slow_client_drops, 0);

  const stopped = performance.now();
  assertEquals(await hub.stop("SIGTERM"), 0);
  const stopMs = performance.now() - stopped;
  const { frames, codes, closes, waits } = await crowd.tally(30_000);
  const drained = hub.logs.find(({ event }) => event === "server.drained");
  say(
    `load: ${clients} clients, ${stalledCount} of them stalled, connected in ` +
      `${Math.round(connectedAfterMs)} ms; ${frames} frames; stopped in ${Math.round(stopMs)} ms ` +
      `(the drain, by the hub's clock: ${drained?.["duration_ms"]} ms)`,
  );

  assertEquals(closes, { 1001: healthy });
  assertEquals(codes["SERVER_SHUTDOWN"], healthy);
  // What one client is told all are told, each as often.
  for (const [code, count] of Object.entries<number>(status.errors_by_code)) {
    assertEquals(codes[code], count * healthy, code);
    assertEquals(witness.codes.filter((each) => each === code).length, count, code);
  }
  assert(status.errors_by_code.CIRCUIT_OPEN >= 1);
  assertEquals([drained?.["clients"], drained?.["unflushed"]], [clients, stalledCount]);
  assertEquals(goodbyes(hub.logs), clients);
  assertSpread(waits);
  assertLess(stopMs, DRAIN_MS + AFTER_DRAIN_MS + ROOM_MS);
  assertEquals(hub.complaints, []);
});

/** As many clients as this process and the hub, which has the same limit, may hold open. */
function affordable(wanted: number): number {
  const most = handleLimit() - SPARE_HANDLES;
  if (wanted <= most) return wanted;
  say(`load: ${most} clients instead of ${wanted}: raise the limit of open files (ulimit -n)`);
  return most;
}

function goodbyes(logs: readonly LogLine[]): number {
  return logs.filter(({ event, why }) => event === "client.disconnected" && why === "shutdown")
    .length;
}

/** No tenth of the time in which clients come back gets more than twice its share. */
function assertSpread(waits: readonly number[]): void {
  const tenths = Array.from({ length: 10 }, () => 0);
  for (const wait of waits) {
    const tenth = Math.min(9, Math.floor(wait / (RECONNECT_WITHIN_MS / 10)));
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  for (const count of tenths) assertLessOrEqual(count, waits.length / 5, `${tenths}`);
}

function configFor(backend: RpcBackend): object {
  const source = { backend: "core", every: "100ms" };
  return {
    backends: { core: quickBackend(backend.url, { timeout: "5s" }) },
    sources: [
      { ...source, channel: "system_status", method: "GetSystemStatus", every: "1s" },
      { ...source, channel: "storage_update", method: "GetStorage" },
    ],
    // The stalled ones are to be there still when the hub is told to stop.
    hub: { heartbeat_every: "2s", stall_timeout: "5m" },
    shutdown: { drain: `${DRAIN_MS}ms`, reconnect_within: `${RECONNECT_WITHIN_MS}ms` },
  };
}
