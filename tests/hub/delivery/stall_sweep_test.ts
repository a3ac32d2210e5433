import { BufferBudget } from "../../../src/hub/delivery/buffer_budget.ts";
import { StallSweep } from "../../../src/hub/delivery/stall_sweep.ts";
import { WriteGate } from "../../../src/hub/delivery/write_gate.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FakeTransport } from "../../support/fake_transport.ts";

const STALL_TIMEOUT_MS = 15_000;

function tapOf(transport: FakeTransport): WriteGate {
  const owner = {
    heldBytes: 0,
    hasEnded: false,
    stalledForMs: () => 0,
    evict() {},
    onWriteError() {},
  };
  const budget = new BufferBudget({ maxBytes: 1_000_000, holders: () => [] });
  return new WriteGate({ transport, highWaterBytes: 1000, now: 0, owner, budget });
}

/** A sweep over one client that takes nothing; when it was found out, if it was. */
function sweepOne() {
  const clock = new FakeClock();
  const stop = new AbortController();
  const transport = new FakeTransport();
  transport.isStalled = true;
  const gate = tapOf(transport);
  const found: { at: number; stalledForMs: number }[] = [];
  const sweep = new StallSweep({
    clock,
    stallTimeoutMs: STALL_TIMEOUT_MS,
    sessions: () => [gate],
    onStalled: (_, stalledForMs) => found.push({ at: clock.now(), stalledForMs }),
  });
  const done = sweep.run(stop.signal);
  const send = () => {
    gate.hasRoom(5, clock.now());
    gate.write("frame", clock.now());
  };
  return {
    clock,
    found,
    send,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
      assertEquals(clock.sleeping, 0);
    },
  };
}

Deno.test("StallSweep finds a client that takes nothing for the timeout, and not before", async () => {
  await using bench = sweepOne();
  await bench.clock.advance(60_000);
  assertEquals(bench.found, [], "nothing waits for it");
  bench.send();
  await bench.clock.advance(STALL_TIMEOUT_MS - 1);
  assertEquals(bench.found, []);
  await bench.clock.advance(1001);
  const [first] = bench.found;
  assert(first && first.stalledForMs >= STALL_TIMEOUT_MS);
});

Deno.test("StallSweep judges nobody by the time in which the process stood still", async () => {
  await using bench = sweepOne();
  bench.send();
  await bench.clock.advance(5000);
  for (let time = 0; time < 3; time++) await bench.clock.jump(20_000);
  assertEquals(bench.found, []);
  // Of a standstill, what an ordinary look may take counts all the same: a second each.
  await bench.clock.advance(STALL_TIMEOUT_MS - 5000 - 3 * 1000 - 1);
  assertEquals(bench.found, []);
  await bench.clock.advance(4001);
  assert(bench.found.length > 0);
});

Deno.test("WriteGate.forgive() gives no credit to who moved after a standstill", () => {
  const transport = new FakeTransport();
  transport.isStalled = true;
  const gate = tapOf(transport);
  const afterStandstill = 600_000;
  gate.hasRoom(5, afterStandstill);
  gate.write("frame", afterStandstill);
  gate.forgive(afterStandstill - 100);
  assertEquals(gate.stalledForMs(afterStandstill), 0);
  const later = afterStandstill + STALL_TIMEOUT_MS;
  assertEquals(gate.stalledForMs(later), STALL_TIMEOUT_MS, "in its time, not ten minutes later");
});

Deno.test("WriteGate asks what a client has acknowledged only while something waits for it", () => {
  class CountingTransport extends FakeTransport {
    asked = 0;

    override takenBytes(): number | undefined {
      this.asked += 1;
      return super.takenBytes();
    }
  }
  const transport = new CountingTransport();
  transport.acknowledgedBytes = 0;
  const gate = tapOf(transport);
  let now = 0.5; // as clocks are: between two milliseconds
  const look = () => gate.stalledForMs(now += 1000);
  look();
  look();
  assertEquals(transport.asked, 0);
  transport.isStalled = true;
  gate.hasRoom(5, now);
  gate.write("frame", now);
  look();
  assertEquals(transport.asked, 1);
  transport.acknowledgedBytes = 100;
  assert(look() < 1000, "it takes bytes, however slowly");
  transport.take();
  look();
  assertEquals(transport.asked, 2);
});
