import { MAX_VALUE_LENGTH } from "../../src/values/value.ts";
import { STANDSTILL_MS, ValueStore } from "../../src/values/value_store.ts";
import type { JsonText } from "../../src/protocol/codec.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { polled, published, StoreBench } from "./support.ts";

Deno.test("ValueStore.read() tells a value with its age, and nothing where there is none", async () => {
  const bench = new StoreBench();
  assertEquals(bench.values.read("a"), undefined);
  assertEquals(bench.values.read("unheard_of"), undefined);
  bench.put("a", { n: 1 });
  await bench.clock.advance(1234);
  assertEquals(bench.values.read("a"), {
    data: `{"n":1}` as JsonText,
    is_stale: false,
    cached_at: FakeClock.EPOCH,
    age_ms: 1234,
  });
});

Deno.test("ValueStore: a polled value grows old, and says which backend is not heard of", async () => {
  const bench = new StoreBench();
  bench.put("a", 1);
  await bench.clock.advance(14_999);
  assertEquals(bench.shown(), "1 fresh 14999");
  await bench.clock.advance(1);
  assertEquals(bench.values.read("a")?.error, {
    code: "RPC_UNAVAILABLE",
    message: `the value of "a" is a cached one`,
    details: "no newer value for 15000 ms",
    timestamp: FakeClock.EPOCH + 15,
    component: "rpc",
    severity: "warning",
    data: { channel: "a", backend: "core" },
  });
});

Deno.test("ValueStore: a published value is stale only after what was configured, or was promised", async () => {
  const bench = new StoreBench({ a: published(), b: published(20_000), c: published(20_000) });
  bench.put("a", 1, { origin: "publisher" });
  bench.put("b", 1, { origin: "publisher" });
  bench.put("c", 1, { origin: "publisher", validForMs: 10_000 });
  await bench.clock.advance(10_000);
  assertEquals(bench.shown("c"), "1 stale PUBLISHER_SILENT 10000");
  assertEquals(
    bench.values.read("c")?.error?.details,
    "its publisher said that it was valid for 10000 ms",
  );
  assertEquals(bench.shown("b"), "1 fresh 10000");
  await bench.clock.advance(10_000);
  assertEquals(bench.values.read("b")?.error, {
    code: "PUBLISHER_SILENT",
    message: `the value of "b" is an old one: nobody published a newer one`,
    details: "nothing was published for 20000 ms",
    timestamp: FakeClock.EPOCH + 20,
    component: "client",
    severity: "warning",
    data: { channel: "b" },
  });
  await bench.clock.advance(365 * 86_400_000);
  assertEquals(bench.values.read("a")?.is_stale, false);
});

Deno.test("C49: ValueStore: a value is as old as the moment its call began", async () => {
  const bench = new StoreBench();
  const calledAt = bench.now;
  await bench.clock.advance(40_000);
  bench.put("a", 1, { calledAt });
  assertEquals(bench.shown(), "1 stale RPC_UNAVAILABLE 40000");
  assertEquals(bench.values.read("a")?.cached_at, FakeClock.EPOCH);
});

Deno.test("C17: ValueStore: a machine that slept wakes to old values", async () => {
  const bench = new StoreBench();
  bench.put("a", 1);
  await bench.clock.advance(5315);
  bench.clock.stepWall(3_600_000);
  assertEquals(bench.shown(), "1 stale RPC_UNAVAILABLE 3605315");
  bench.clock.stepWall(-3_600_000);
  assertEquals(bench.shown(), "1 stale RPC_UNAVAILABLE 3605315");
  bench.put("a", 2);
  assertEquals(bench.shown(), "2 fresh 0");
});

Deno.test("C15: ValueStore.put() keeps the newer value, whichever way it came", async () => {
  const bench = new StoreBench({ a: published() });
  const before = bench.now;
  await bench.clock.advance(1000);
  assertEquals(bench.put("a", "new", { origin: "publisher" }), "stored");
  assertEquals(bench.put("a", "old", { origin: "stream", calledAt: before }), "older");
  assertEquals(bench.shown(), `"new" fresh 0`);
  await bench.clock.advance(1000);
  assertEquals(bench.put("a", "newest", { origin: "stream" }), "stored");
  assertEquals(bench.put("a", "old", { origin: "publisher", calledAt: before }), "older");
  assertEquals(bench.shown(), `"newest" fresh 0`);
});

Deno.test("ValueStore.put() takes the stream's values in the stream's order, whatever its clocks say", () => {
  const bench = new StoreBench();
  const { monotonicMs, unixMs } = bench.now;
  bench.put("a", 1, { origin: "stream" });
  const slow = { monotonicMs: monotonicMs - 2000, unixMs: unixMs - 2000 };
  assertEquals(bench.put("a", 2, { origin: "stream", calledAt: slow }), "stored");
  assertEquals(bench.shown(), "2 fresh 2000");
});

Deno.test("ValueStore.put(): the same value come back by the stream shows nothing new", async () => {
  const bench = new StoreBench();
  const calledAt = bench.now;
  bench.put("a", 1, { calledAt });
  bench.values.doubt("a", "it broke");
  await bench.clock.advance(20);
  const later = { ...calledAt, monotonicMs: calledAt.monotonicMs + 3 };
  assertEquals(bench.put("a", 1, { calledAt: later, origin: "stream" }), "stored");
  assertEquals(bench.shown(), "1 stale RPC_UNAVAILABLE 20");
  assertEquals(bench.values.revision("a"), 1);
});

Deno.test("C11: ValueStore.put() does not take what cannot be sent", () => {
  const bench = new StoreBench();
  bench.put("a", 1);
  const text = "1".repeat(MAX_VALUE_LENGTH + 1) as JsonText;
  assertEquals(bench.put("a", 0, { text }), "too_large");
  assertEquals(bench.shown(), "1 fresh 0");
});

Deno.test("ValueStore.doubt() holds until a newer value comes, and says the newest reason", async () => {
  const bench = new StoreBench();
  bench.put("a", 1);
  bench.values.doubt("a", "refused");
  bench.values.doubt("a", "backend is not answering", { keepsReason: true });
  assertEquals(bench.values.read("a")?.error?.details, "refused");
  bench.values.doubt("a", "timeout");
  assertEquals(bench.values.read("a")?.error?.details, "timeout");
  assertEquals(bench.values.doubtOf("a"), "timeout");
  await bench.clock.advance(10);
  bench.put("a", 1);
  assertEquals(bench.shown(), "1 fresh 0");
  assertEquals(bench.values.doubtOf("a"), undefined);
  assertEquals(bench.told, [
    "a fresh by value",
    "a stale by doubt: refused",
    "a fresh by value",
  ]);
});

Deno.test("C23: ValueStore tells of a source that never answered, with its reason", () => {
  const bench = new StoreBench();
  bench.values.doubt("a", "HTTP 404");
  assertEquals(bench.values.read("a"), undefined);
  assertEquals(bench.values.doubtOf("a"), "HTTP 404");
  assertEquals(bench.told, ["a stale by doubt: HTTP 404"]);
});

Deno.test("ValueStore.distrust() concerns what came that way, and ends as it began", () => {
  const bench = new StoreBench({ a: polled(), b: polled() });
  bench.put("a", 1, { origin: "stream" });
  bench.put("b", 1);
  bench.values.distrust("stream", "the stream is out of reach");
  assertEquals(bench.shown("a"), "1 stale RPC_UNAVAILABLE 0");
  assertEquals(bench.values.read("a")?.error?.details, "the stream is out of reach");
  assertEquals(bench.shown("b"), "1 fresh 0");
  bench.values.trust("stream");
  assertEquals(bench.shown("a"), "1 fresh 0");
});

Deno.test("C43: ValueStore: after a standstill everything is in doubt until it is asked anew", async () => {
  const bench = new StoreBench({ a: polled(60_000), b: published() });
  bench.values.look();
  bench.put("a", 1);
  bench.put("b", 1, { origin: "publisher" });
  const underWay = bench.now;
  await bench.clock.jump(STANDSTILL_MS - 1);
  bench.values.look();
  assertEquals(bench.shown(), `1 fresh ${STANDSTILL_MS - 1}`);
  await bench.clock.jump(12_000);
  assertEquals(bench.shown(), "1 stale RPC_UNAVAILABLE 16999");
  assertEquals(bench.values.read("a")?.error?.details, "the hub stood still for 12000 ms");
  assertEquals(bench.values.read("b")?.is_stale, false, "nobody could publish meanwhile");
  // What was asked for before it, and what a backlog holds, shows nothing of the time after it.
  bench.put("a", 2, { calledAt: underWay });
  assertEquals(bench.shown(), "2 stale RPC_UNAVAILABLE 16999");
  bench.values.doubt("a", "another reason");
  bench.put("a", 3, { calledAt: { ...underWay, monotonicMs: underWay.monotonicMs + 1 } });
  assertEquals(bench.values.read("a")?.is_stale, true);
  await bench.clock.advance(10);
  bench.put("a", 4);
  assertEquals(bench.shown(), "4 fresh 0");
});

Deno.test("C43: ValueStore: a machine that slept counts as having stood still", async () => {
  const bench = new StoreBench({ a: polled(600_000) });
  bench.values.look();
  bench.put("a", 1);
  bench.clock.stepWall(60_000);
  await bench.clock.advance(1000);
  bench.values.look();
  assertEquals(bench.told.at(-1), "a stale by time: the hub stood still for 61000 ms");
});

Deno.test("C50: ValueStore.configure() retires what is no more configured, with a last word", () => {
  const bench = new StoreBench({ a: polled(), b: polled() });
  const last: unknown[] = [];
  bench.values.subscribe({
    onStanding: ({ standing, status }) => standing === "retired" && last.push(status),
  });
  bench.put("a", 1);
  bench.put("c", 1, { origin: "publisher" });
  bench.values.configure(new Map([["b", polled()]]));
  assertEquals(last, [{
    data: "1",
    is_stale: true,
    cached_at: FakeClock.EPOCH,
    age_ms: 0,
    error: {
      code: "SOURCE_REMOVED",
      message: `no source feeds "a" any more`,
      details: "its source was taken out of the configuration",
      timestamp: FakeClock.EPOCH,
      component: "hub",
      severity: "warning",
      data: { channel: "a", backend: "core" },
    },
  }]);
  assertEquals(bench.values.read("a"), undefined);
  assertEquals(bench.values.channels(), ["c"], "nobody had configured that one");
});

Deno.test("ValueStore.configure() applies new limits to the values at hand", async () => {
  const bench = new StoreBench({ a: polled(15_000) });
  bench.put("a", 1);
  await bench.clock.advance(10_000);
  bench.values.configure(new Map([["a", polled(5000)]]));
  assertEquals(bench.told.at(-1), "a stale by settings: no newer value for 10000 ms");
  bench.values.configure(new Map([["a", polled(50_000)]]));
  assertEquals(bench.told.at(-1), "a fresh by settings");
});

Deno.test("ValueStore.look() tells once of a value that grew old", async () => {
  const bench = new StoreBench();
  bench.put("a", 1);
  assertEquals(bench.values.untilNextOldMs(), 15_000);
  await bench.clock.advance(15_000);
  assertEquals(bench.values.untilNextOldMs(), 0);
  bench.values.look();
  bench.values.look();
  assertEquals(bench.told, [
    "a fresh by value",
    "a stale by time: no newer value for 15000 ms",
  ]);
  assertEquals(bench.values.untilNextOldMs(), Infinity);
});

Deno.test("ValueStore.revision() counts the different values, and never counts one twice", async () => {
  const bench = new StoreBench();
  assertEquals(bench.values.revision("a"), 0);
  for (const value of [1, 1, 2]) {
    await bench.clock.advance(10);
    bench.put("a", value);
  }
  assertEquals(bench.values.revision("a"), 2);
  bench.values.retire("a");
  bench.put("a", 1);
  assertEquals(bench.values.revision("a"), 3);
});

Deno.test("ValueStore.restore() takes up an earlier life: with its true age, stale until asked again", async () => {
  const before = new StoreBench({ a: polled(600_000), b: published(600_000) });
  before.put("a", 1);
  before.put("a", 2);
  before.put("b", 1, { origin: "publisher", validForMs: 300_000 });
  await before.clock.advance(1000);
  const records = JSON.parse(JSON.stringify(before.values.records()));

  const after = new StoreBench({ a: polled(600_000), b: published(600_000) });
  after.clock.stepWall(60_000);
  for (const record of records) assertEquals(after.values.restore(record), "stored");
  assertEquals(after.shown("a"), "2 stale RPC_UNAVAILABLE 60000");
  assertEquals(
    after.values.read("a")?.error?.details,
    "the hub was restarted and has had no newer value since",
  );
  assertEquals(after.values.revision("a"), 2);
  assertEquals(after.shown("b"), "1 fresh 60000");
  await after.clock.advance(240_000);
  assertEquals(after.shown("b"), "1 stale PUBLISHER_SILENT 300000");
  after.put("a", 3);
  assertEquals([after.shown("a"), after.values.revision("a")], ["3 fresh 0", 3]);
});

Deno.test("C17: ValueStore.restore(): a wall clock set back between two lives makes nothing younger", async () => {
  const before = new StoreBench({ b: published() });
  before.put("b", 1);
  await before.clock.advance(50_000);
  const record = before.values.record("b");
  assert(record);
  const after = new StoreBench({ b: published() });
  after.clock.stepWall(-1_000_000);
  after.values.restore(record);
  assertEquals(after.shown("b"), "1 fresh 50000");
});

Deno.test("ValueStore.restore() takes no value's place that is newer", async () => {
  const before = new StoreBench();
  before.put("a", "old");
  const record = before.values.record("a");
  assert(record);
  const after = new StoreBench();
  await after.clock.advance(1000);
  after.put("a", "new");
  assertEquals(after.values.restore(record), "older");
  assertEquals(after.shown(), `"new" fresh 0`);
});

Deno.test("C11: ValueStore: a listener that throws keeps nobody else from hearing", () => {
  const failures: unknown[] = [];
  const values = new ValueStore({
    clock: new FakeClock(),
    onListenerFailed: (error) => failures.push(error),
  });
  const heard: string[] = [];
  values.subscribe({
    onValue: () => {
      throw new Error("broken");
    },
  });
  using _last = values.subscribe({ onValue: (channel) => void heard.push(channel) });
  const now = { monotonicMs: 0, unixMs: 0 };
  values.put("a", { text: "1" as JsonText, calledAt: now, origin: "poll" });
  assertEquals([heard, failures.length], [["a"], 1]);
});

Deno.test("ValueStore.subscribe() tells of every value, and no more once disposed of", () => {
  const bench = new StoreBench();
  const heard: string[] = [];
  const subscription = bench.values.subscribe({ onValue: (channel) => void heard.push(channel) });
  bench.put("a", 1);
  bench.put("a", 1, { calledAt: { monotonicMs: -5, unixMs: 0 } });
  subscription[Symbol.dispose]();
  bench.put("a", 2);
  assertEquals(heard, ["a"], "an older one is no news");
});
