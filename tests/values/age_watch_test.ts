import { watchAges } from "../../src/values/age_watch.ts";
import { assertEquals } from "../support/assert.ts";
import { polled, StoreBench } from "./support.ts";

function watched(bench: StoreBench) {
  const stop = new AbortController();
  const failures: unknown[] = [];
  const options = { clock: bench.clock, onFailed: (error: unknown) => void failures.push(error) };
  const ended = watchAges(bench.values, options, stop.signal);
  return { failures, end: () => (stop.abort(), ended) };
}

Deno.test("watchAges() tells of a value the moment it grows old, however soon that is", async () => {
  const bench = new StoreBench({ a: polled(20), b: polled(15_000) });
  const watch = watched(bench);
  await bench.clock.advance(300);
  bench.put("a", 1);
  bench.put("b", 1);
  await bench.clock.advance(19);
  assertEquals(bench.told.length, 2);
  await bench.clock.advance(1);
  assertEquals(bench.told.at(-1), "a stale by time: no newer value for 20 ms");
  await bench.clock.advance(14_980);
  assertEquals(bench.told.at(-1), "b stale by time: no newer value for 15000 ms");
  await watch.end();
  assertEquals([bench.clock.sleeping, watch.failures], [0, []]);
});

Deno.test("C43: watchAges() notices a standstill, and that nothing has stood still", async () => {
  const bench = new StoreBench({ a: polled(600_000) });
  const watch = watched(bench);
  bench.put("a", 1);
  await bench.clock.advance(60_000);
  assertEquals(bench.told, ["a fresh by value"]);
  await bench.clock.jump(30_000);
  assertEquals(bench.told.at(-1)?.startsWith("a stale by time: the hub stood still for"), true);
  await watch.end();
});

Deno.test("C11: watchAges() goes on after a look that failed", async () => {
  const bench = new StoreBench();
  const watch = watched(bench);
  bench.put("a", 1);
  const { look } = bench.values;
  bench.values.look = () => {
    throw new Error("of a test");
  };
  await bench.clock.advance(16_000);
  assertEquals(watch.failures.length > 0, true);
  bench.values.look = look;
  await bench.clock.advance(1000);
  assertEquals(bench.told.at(-1)?.startsWith("a stale by time"), true);
  await watch.end();
  assertEquals(bench.clock.sleeping, 0);
});
