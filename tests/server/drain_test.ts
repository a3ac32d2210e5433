import { Connections } from "../../src/server/sockets/connections.ts";
import { drain } from "../../src/server/shutdown.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { settle } from "../support/fake_clock.ts";
import { HubBench, text } from "../support/hub_bench.ts";

const NO_CONNECTIONS = { size: 0, allGone: () => Promise.resolve() };

Deno.test("drain() tells everybody, lets them take what waits, and closes them with 1001", async () => {
  await using bench = new HubBench();
  const quick = bench.connect();
  const slow = bench.connectStalled({ channels: ["notification"] });
  bench.hub.broadcast("notification", text({ n: 1 }));
  let isDone = false;
  const drained = drain({
    clock: bench.clock,
    hub: bench.hub,
    drainMs: 3000,
    reconnectWithinMs: 5000,
    connections: NO_CONNECTIONS,
  }).then(() => isDone = true);
  await bench.clock.advance(20);
  assertEquals(quick.transport.closed?.code, 1001);
  assertEquals(slow.transport.closed, undefined);
  slow.transport.isStalled = false;
  slow.transport.take();
  await bench.clock.advance(200);
  assertEquals(slow.transport.types, ["error", "notification"]);
  assertEquals(slow.transport.closed?.code, 1001);
  assert(isDone, "nobody is left to wait for");
  await drained;
  await bench.clock.advance(1000); // the bound on handshakes, which was not needed
});

Deno.test("drain() is done within its time and a second, whatever stalled clients do", async () => {
  await using bench = new HubBench();
  const stalled = bench.connectStalled();
  let isDone = false;
  const drained = drain({
    clock: bench.clock,
    hub: bench.hub,
    drainMs: 3000,
    reconnectWithinMs: 5000,
    connections: { size: 1, allGone: () => new Promise(() => {}) },
  }).then(() => isDone = true);
  await bench.clock.advance(2950);
  assertEquals(stalled.transport.closed, undefined);
  await bench.clock.advance(60);
  assertEquals(stalled.transport.closed?.code, 1001);
  assert(!isDone, "closing handshakes get a moment");
  await bench.clock.advance(1000);
  assert(isDone);
  await drained;
});

Deno.test("drain() does not wait where nobody is connected", async () => {
  await using bench = new HubBench();
  await drain({
    clock: bench.clock,
    hub: bench.hub,
    drainMs: 3000,
    reconnectWithinMs: 5000,
    connections: NO_CONNECTIONS,
  });
  assertEquals(bench.clock.now(), 0);
  await bench.clock.advance(1000);
});

Deno.test("drain() also tells a client whose connection is only just opening", async () => {
  await using bench = new HubBench();
  const connections = { size: 1, allGone: () => Promise.resolve() };
  const { clock, hub } = bench;
  const drained = drain({ clock, hub, drainMs: 3000, reconnectWithinMs: 5000, connections });
  await clock.advance(100);
  const late = bench.connect({ channels: ["a"] });
  assertEquals(late.transport.types, ["welcome", "error"]);
  const { data } = late.transport.frames[1]?.data as { data: Record<string, number> };
  assertEquals([data["deadline_ms"], (data["reconnect_after_ms"] ?? 0) <= 5000], [3000, true]);
  await clock.advance(20);
  assertEquals(late.transport.closed?.code, 1001);
  connections.size = 0;
  await clock.advance(20);
  await drained;
});

Deno.test("Connections.allGone() resolves once the last place is given back", async () => {
  const connections = new Connections();
  await connections.allGone();
  let given = 0;
  const aborted: number[] = [];
  const places = [1, 2].map((nth) =>
    connections.track({ [Symbol.dispose]: () => given += 1 }, () => aborted.push(nth))
  );
  let gone = false;
  const waiting = connections.allGone().then(() => gone = true);
  places[0]?.[Symbol.dispose]();
  await settle();
  assertEquals([given, gone], [1, false]);
  connections.abortAll();
  assertEquals(aborted, [2]);
  places[1]?.[Symbol.dispose]();
  await waiting;
  assertEquals(given, 2);
});
