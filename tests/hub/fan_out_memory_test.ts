import { Hub } from "../../src/hub/hub.ts";
import type { Transport } from "../../src/hub/delivery/transport.ts";
import { assertLess } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { text } from "../support/hub_bench.ts";

const FEW = 20;
const MANY = 2000;
const BROADCASTS = 50;
/** One object a client would be 24 bytes or more; what is left for noise is a third of that. */
const MAX_BYTES_PER_CLIENT = 8;

/** A client that takes everything and keeps nothing. */
class Sink implements Transport {
  readonly bufferedBytes = 0;
  send(): void {}
  close(): void {}
}

/**
 * Bytes a broadcast allocates in a hub with so many clients: the least of several runs, for
 * whatever else allocates in this process only adds to it. A run is short enough for the young
 * generation to hold all of it, and one in which a collection took place does not count.
 */
function bytesPerBroadcast(clients: number, type: string): number {
  using hub = new Hub({
    clock: new FakeClock(),
    limits: {
      outboxMessages: 256,
      highWaterBytes: 65_536,
      maxMessageBytes: 65_536,
      messagesPerSecond: 0,
      stallTimeoutMs: 15_000,
      maxBufferedBytes: 256 * 1024 * 1024,
    },
    history: { maxFrames: 1000, maxAgeMs: 300_000 },
    heartbeatMs: 10_000,
    statusChannels: () => ["a"],
    values: { read: () => undefined, revision: () => 0 },
  });
  for (let nth = 0; nth < clients; nth++) hub.connect(new Sink());
  const data = text({ n: 1 });
  // Compiled code allocates less than code that is still being learned.
  for (let nth = 0; nth < 80 * BROADCASTS; nth++) hub.broadcast(type, data);
  let least = Infinity;
  for (let run = 0; run < 20; run++) {
    const before = Deno.memoryUsage().heapUsed;
    for (let nth = 0; nth < BROADCASTS; nth++) hub.broadcast(type, data);
    const bytes = Deno.memoryUsage().heapUsed - before;
    if (bytes >= 0) least = Math.min(least, bytes / BROADCASTS);
  }
  return least;
}

for (const type of ["a", "notification", "rpc_error", "heartbeat"]) {
  Deno.test(`Hub.broadcast() of ${type} allocates nothing for each client`, () => {
    const few = bytesPerBroadcast(FEW, type);
    const many = bytesPerBroadcast(MANY, type);
    const perClient = (many - few) / (MANY - FEW);
    assertLess(perClient, MAX_BYTES_PER_CLIENT, `${few} and ${many} bytes a broadcast`);
  });
}
