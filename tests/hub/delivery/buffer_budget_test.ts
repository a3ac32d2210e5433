import { LARGE_FRAME_BYTES } from "../../../src/hub/delivery/buffer_budget.ts";
import { assert, assertEquals, assertStringIncludes } from "../../support/assert.ts";
import { HubBench, type TestClient, text } from "../../support/hub_bench.ts";

const VALUE = "v".repeat(2 * LARGE_FRAME_BYTES);
const FRAME_BYTES = VALUE.length + 100;

/** A hub that may have so many of the frames above handed over, and as many clients as asked for. */
function benchOf(frames: number, clients: number) {
  const bench = new HubBench({ maxBufferedBytes: frames * FRAME_BYTES, highWaterBytes: 65_536 });
  const all = Array.from({ length: clients }, () => bench.connect({ channels: ["a"] }));
  for (const { transport } of all) {
    transport.sent.length = 0;
    transport.isStalled = true;
  }
  return { bench, all };
}

function heldBy(clients: readonly TestClient[]): number {
  return clients.filter(({ transport }) => transport.bufferedBytes > 0).length;
}

/** As the edge does: a client that was closed is gone after the time it was given. */
function endClosed(bench: HubBench, clients: readonly TestClient[]): void {
  for (const { transport, session } of clients) {
    if (transport.closed === undefined || transport.bufferedBytes === 0) continue;
    transport.bufferedBytes = 0;
    bench.hub.disconnected(session, { clean: false, code: 0 });
  }
}

Deno.test("C48: Hub hands a large frame to few clients at a time, to the next when one has taken it", async () => {
  const { bench, all } = benchOf(32, 12);
  await using _bench = bench;
  for (let n = 0; n < 5; n++) bench.hub.broadcast("a", text({ n, VALUE }));
  assertEquals(heldBy(all), 4, "an eighth of the room is for large frames");
  assert(all.every(({ transport }) => transport.sent.length <= 1), "at most once each");
  // Those that take theirs make room; all get the newest value, however long it takes.
  for (let turn = 0; turn < 100; turn++) {
    for (const { transport } of all) transport.take();
    await bench.clock.advance(60);
    assert(heldBy(all) <= 4);
  }
  for (const { transport } of all) {
    assertEquals(transport.frames.at(-1)?.data.n, 4);
    assertEquals(transport.closed, undefined);
  }
});

Deno.test("C48: Hub lets those go first that take nothing while others wait for room, and says why", async () => {
  const { bench, all } = benchOf(32, 12);
  await using _bench = bench;
  const [quick, ...stalled] = all;
  bench.hub.broadcast("a", text({ n: 0, VALUE }));
  for (let turn = 0; turn < 600; turn++) {
    quick?.transport.take();
    endClosed(bench, stalled);
    await bench.clock.advance(50);
    assert(heldBy(all) <= 4);
    if (turn % 20 === 0) bench.hub.broadcast("a", text({ n: 1 + turn, VALUE }));
  }
  assertEquals(quick?.transport.closed, undefined);
  const dropped = stalled.filter(({ transport }) => transport.closed !== undefined);
  assertEquals(dropped.length, stalled.length);
  for (const { transport } of dropped) {
    assert(transport.sent.length <= 2, "the value once, and why it goes");
    const last = transport.frames.at(-1)?.data;
    assertEquals(last?.code, "SLOW_CLIENT");
    const details = String(last?.details);
    if (!details.includes("max_buffered_bytes")) assertStringIncludes(details, "took nothing");
  }
  assert(
    dropped.some(({ transport }) =>
      String(transport.frames.at(-1)?.data.details).includes("max_buffered_bytes") &&
      (transport.closed?.withinMs ?? Infinity) < 1000
    ),
  );
});

Deno.test("C48: Hub bounds what all clients hold of ordinary frames, too", async () => {
  const bytes = 50_000;
  const bench = new HubBench({ maxBufferedBytes: 10 * bytes, highWaterBytes: 100_000 });
  await using _bench = bench;
  const all = Array.from({ length: 40 }, () => bench.connect({ channels: ["a"] }));
  for (const { transport } of all) transport.isStalled = true;
  const value = "v".repeat(bytes - 200);
  bench.hub.broadcast("a", text({ n: 0, value }));
  const held = () => all.reduce((sum, { transport }) => sum + transport.bufferedBytes, 0);
  assert(held() <= 10 * bytes && held() > 8 * bytes, String(held()));
  for (let turn = 0; turn < 40; turn++) {
    for (const { transport } of all) transport.take();
    await bench.clock.advance(60);
    assert(held() <= 10 * bytes, String(held()));
  }
  for (const { transport } of all) assertEquals(transport.frames.at(-1)?.data.n, 0);
});

Deno.test("C48: Hub hands over a frame that is larger than all there may be, to one at a time", async () => {
  const { bench, all } = benchOf(1 / 4, 3);
  await using _bench = bench;
  bench.hub.broadcast("a", text({ n: 0, VALUE }));
  for (let turn = 0; turn < 20; turn++) {
    assert(heldBy(all) <= 1);
    for (const { transport } of all) transport.take();
    await bench.clock.advance(60);
  }
  for (const { transport } of all) assertEquals(transport.frames.at(-1)?.data.n, 0);
});

Deno.test("C48: Hub lets nobody go for time in which the process itself stood still", async () => {
  const { bench, all } = benchOf(32, 12);
  await using _bench = bench;
  await bench.clock.advance(2000);
  bench.hub.broadcast("a", text({ n: 0, VALUE }));
  await bench.clock.advance(500);
  await bench.clock.jump(60_000);
  bench.hub.broadcast("a", text({ n: 1, VALUE }));
  // Of a standstill, what an ordinary look may take counts all the same: a second.
  await bench.clock.advance(300);
  assert(all.every(({ transport }) => transport.closed === undefined));
  await bench.clock.advance(5000);
  assert(all.some(({ transport }) => transport.closed !== undefined), "but for what came after");
});
