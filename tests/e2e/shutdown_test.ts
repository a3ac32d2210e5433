import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertLessOrEqual,
} from "../support/assert.ts";
import { isExecutable } from "../support/command_line.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { HubProcess } from "../support/hub_process.ts";
import { RawClient } from "../support/raw_client.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { WsClient } from "../support/ws_client.ts";

/** Added to the times of the contract, for a machine that is busy with other things. */
const ROOM_MS = 3000;

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`${signal} with a stalled client inside: all are told, exit 0 in time`, async () => {
    await using backend = largeBackend();
    await using hub = await HubProcess.start(configFor(backend, "1s"));
    using stalled = await stalledClient(hub, backend);
    const clients = await Promise.all(
      Array.from({ length: 5 }, () => WsClient.connect(hub.ws({ channels: "heartbeat" }))),
    );

    const begun = performance.now();
    assertEquals(await hub.stop(signal), 0);
    assertLess(performance.now() - begun, 1000 + 2000 + ROOM_MS);

    const waits = await Promise.all(clients.map(async (client) => {
      assertEquals((await client.waitForEnd()).code, 1001);
      const told = client.frames.filter(({ data }) => data.code === "SERVER_SHUTDOWN");
      assertEquals(told.length, 1);
      assertEquals(told[0]?.type, "error");
      assertEquals(told[0]?.data.component, "server");
      assertEquals(told[0]?.data.severity, "critical");
      assertEquals(told[0]?.data.data.deadline_ms, 1000);
      return told[0]?.data.data.reconnect_after_ms;
    }));
    assertEquals(new Set(waits).size, clients.length, `all come back at once: ${waits}`);
    for (const wait of waits) {
      assertGreater(wait, 0);
      assertLessOrEqual(wait, 5000);
    }
    const drained = await hub.waitForLog("server.drained");
    assertEquals([drained["clients"], drained["unflushed"]], [6, 1]);
    assertEquals(hub.complaints, []);
    assert(stalled.port > 0);
  });
}

Deno.test("while draining nobody is let in, and the hub is alive but not ready", async () => {
  await using backend = largeBackend();
  await using hub = await HubProcess.start(configFor(backend, "20s"));
  using _stalled = await stalledClient(hub, backend);
  hub.signal("SIGTERM");
  await hub.waitForLog("server.stopping");

  using door = await RawClient.connect(hub.ws());
  assertEquals(door.handshake.status, 503);
  assertGreater(Number(door.handshake.headers.get("retry-after")), 0);
  const ready = await fetch(`${hub.url}/readyz`);
  assertEquals(ready.status, 503);
  assertEquals(await ready.json(), { ready: false, why: ["the hub is shutting down"] });
  const alive = await fetch(`${hub.url}/healthz`);
  assertEquals(alive.status, 200);
  await alive.body?.cancel();
});

Deno.test("a second signal ends the hub at once with 1", async () => {
  await using backend = largeBackend();
  await using hub = await HubProcess.start(configFor(backend, "1m"));
  using _stalled = await stalledClient(hub, backend);
  hub.signal("SIGTERM");
  await hub.waitForLog("server.stopping");
  await sleep(200); // the same signal at the same moment would be taken for an echo of the first
  const begun = performance.now();
  assertEquals(await hub.stop("SIGTERM"), 1);
  assertLess(performance.now() - begun, ROOM_MS);
});

Deno.test("another signal than the first ends the hub at once with 1, however soon", async () => {
  await using backend = largeBackend();
  await using hub = await HubProcess.start(configFor(backend, "1m"));
  using _stalled = await stalledClient(hub, backend);
  hub.signal("SIGTERM");
  await hub.waitForLog("signal.received");
  assertEquals(await hub.stop("SIGINT"), 1);
});

Deno.test({
  name: "Ctrl-C on `deno task start` is one signal, though the task runner passes it on as well",
  // The compiled executable has no task runner above it.
  ignore: isExecutable(),
  fn: async () => {
    await using backend = largeBackend();
    await using hub = await HubProcess.start(configFor(backend, "1s"), { asTask: true });
    using _stalled = await stalledClient(hub, backend);
    assertEquals(await hub.interrupt(), 0);
    assertEquals(hub.logs.filter(({ event }) => event === "signal.second"), []);
    assertEquals((await hub.waitForLog("server.drained"))["unflushed"], 1);
  },
});

Deno.test("polls stop when the hub is told to", async () => {
  await using backend = largeBackend();
  await using hub = await HubProcess.start(configFor(backend, "1s"));
  using _stalled = await stalledClient(hub, backend);
  hub.signal("SIGTERM");
  await hub.waitForLog("server.stopping");
  const before = backend.calls();
  await hub.waitForLog("server.drained");
  // One poll of each source may have been on its way.
  assertLessOrEqual(backend.calls() - before, 2);
  assertEquals(await hub.ended(), 0);
});

/** A client of large values that reads nothing, when so much waits for it that nothing more fits. */
async function stalledClient(hub: HubProcess, backend: RpcBackend): Promise<RawClient> {
  await using witness = await WsClient.connect(hub.ws({ channels: "heartbeat" }));
  const client = await RawClient.connect(hub.ws());
  const from = backend.calls("GetStorage");
  await witness.waitFor(() => backend.calls("GetStorage") - from > 10);
  return client;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function largeBackend(): RpcBackend {
  const backend = new RpcBackend();
  backend.pad("GetStorage", 1_000_000);
  return backend;
}

function configFor(backend: RpcBackend, drain: string): object {
  return {
    backends: { core: quickBackend(backend.url, { timeout: "5s" }) },
    sources: [
      quickSource("system_status", "core"),
      quickSource("storage_update", "core", { method: "GetStorage" }),
    ],
    hub: { heartbeat_every: "100ms", stall_timeout: "1m" },
    shutdown: { drain },
  };
}
