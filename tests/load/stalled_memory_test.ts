import { assertEquals, assertLess } from "../support/assert.ts";
import { quickBackend } from "../support/hub_config.ts";
import { HubProcess } from "../support/hub_process.ts";
import { childListeningOn, residentBytes } from "../support/process_facts.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { say } from "../support/seed.ts";
import { WsClient } from "../support/ws_client.ts";
import { StalledClients } from "./stalled_clients.ts";

const STALLED = 250;
const KIBIBYTE = 1024;
/**
 * What one stalled client may cost our process, over what a healthy one does: the 64 KiB that may
 * wait in its transport, and as much for the noise of two heaps. Without a bound it would be each
 * value of the test, 600 of 4 KB.
 */
const MOST_KIB = 128;
/** Larger than a usual value, and well below what may wait in a transport. */
const VALUE_CHARACTERS = 4000;
/** How often memory is looked at once the clients have stalled. */
const LOOKS = 3;
/** Values in each part of the test: several times what fits into kernel and transport. */
const WARM_UP = 200;

Deno.test("250 stalled clients cost the hub little memory, and go on stop", async () => {
  // Two hubs at once, one with clients that read on: a heap grows by itself, and by chance.
  const [stalled, control] = await Promise.all([
    measure({ stall: true }),
    measure({ stall: false }),
  ]);
  // Either heap may just have been collected: what stalled clients cost shows at every look.
  const cost = Math.min(
    ...stalled.growthKib.map((each, look) => each - (control.growthKib[look] ?? 0)),
  );
  say(
    `memory: RSS grew by ${shown(stalled)} KiB for each of ${STALLED} stalled clients and by ` +
      `${shown(control)} KiB for as many that read on: they cost ${cost.toFixed(1)} KiB each`,
  );
  assertEquals(stalled.unflushed, STALLED, "they were stalled");
  assertEquals(control.unflushed, 0, "and those were not");
  assertLess(cost, MOST_KIB);
});

interface Measured {
  /** Growth of the hub's memory for each client, at each look. */
  readonly growthKib: readonly number[];
  /** Clients that had not taken everything when the hub stopped. */
  readonly unflushed: unknown;
}

function shown({ growthKib }: Measured): string {
  return growthKib.map((each) => each.toFixed(1)).join(", then ");
}

async function measure({ stall }: { stall: boolean }): Promise<Measured> {
  await using backend = new RpcBackend();
  backend.pad("GetStorage", VALUE_CHARACTERS);
  await using hub = await HubProcess.start({
    backends: { core: quickBackend(backend.url, { timeout: "5s" }) },
    sources: [{ channel: "storage_update", backend: "core", method: "GetStorage", every: "25ms" }],
    hub: {
      heartbeat_every: "200ms",
      stall_timeout: "5m",
    },
    shutdown: { drain: "1s" },
  }, {
    // A small young generation, so that the figure is the clients' and not the collector's.
    env: { DENO_V8_FLAGS: "--max-semi-space-size=1" },
  });
  const pid = childListeningOn(Number(new URL(hub.url).port));
  await using witness = await WsClient.connect(hub.ws({ channels: "heartbeat" }));
  using clients = await StalledClients.connect(hub.ws({ channels: "storage_update" }), STALLED);
  // They read at first, so that the hub's heap has the size that this traffic takes anyway.
  clients.read();
  await rounds(witness, backend, WARM_UP);
  const before = residentBytes(pid);
  if (stall) clients.stall();
  const growthKib: number[] = [];
  for (let look = 0; look < LOOKS; look++) {
    await rounds(witness, backend, WARM_UP);
    growthKib.push((residentBytes(pid) - before) / KIBIBYTE / STALLED);
  }
  const status = await (await fetch(`${hub.url}/status`)).json();
  assertEquals([status.total_clients, status.slow_client_drops], [STALLED + 1, 0]);
  assertEquals(await hub.stop(), 0);
  const drained = hub.logs.find(({ event }) => event === "server.drained");
  return { growthKib, unflushed: drained?.["unflushed"] };
}

/** Waits until the backend has given so many values more. */
async function rounds(witness: WsClient, backend: RpcBackend, count: number): Promise<void> {
  const from = backend.calls("GetStorage");
  await witness.waitFor(() => backend.calls("GetStorage") - from >= count, { timeoutMs: 120_000 });
}
