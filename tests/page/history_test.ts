import { ChartHistory, MAX_MOMENTS } from "../../src/page/charts/history.ts";
import type { NumberNow } from "../../src/page/charts/series.ts";
import { assert, assertEquals, assertGreater } from "../support/assert.ts";

const HOUR = 3600;

function numbers(values: Record<string, number>, unit = "plain"): NumberNow[] {
  return Object.entries(values).map(([name, value]) => ({ name, value, unit }));
}

Deno.test("History.add() keeps a line for each number, those of one unit together", () => {
  const history = new ChartHistory(HOUR);
  history.add([...numbers({ a: 1, b: 2 }), ...numbers({ c: 7 }, "bytes")], 100);
  history.add([...numbers({ a: 3, b: 4 }), ...numbers({ c: 8 }, "bytes")], 110);
  assertEquals(history.times, [100, 110]);
  assertEquals(history.groups, [
    { unit: "plain", lines: [{ name: "a", values: [1, 3] }, { name: "b", values: [2, 4] }] },
    { unit: "bytes", lines: [{ name: "c", values: [7, 8] }] },
  ]);
});

Deno.test("History.add() lets a line begin where its number came", () => {
  const history = new ChartHistory(HOUR);
  history.add(numbers({ a: 1 }), 100);
  history.add(numbers({ a: 2, b: 9 }), 110);
  assertEquals(history.groups[0]?.lines.at(1), { name: "b", values: [null, 9] });
});

Deno.test("History.interrupt() breaks the lines once, however often it is told", () => {
  const history = new ChartHistory(HOUR);
  history.interrupt(90);
  history.add(numbers({ a: 1 }), 100);
  history.interrupt(100.1);
  history.interrupt(105);
  history.add(numbers({ a: 2 }), 110);
  assertEquals(history.groups[0]?.lines, [{ name: "a", values: [1, null, 2] }]);
});

Deno.test("History.add() takes moments too near for the window as one, and forgets the oldest", () => {
  const history = new ChartHistory(HOUR);
  for (let at = 0; at < 6000; at++) history.add(numbers({ a: at }), 100 + at / 10);
  assert(history.times.length <= 600 / 6 + 3, `${history.times.length}`);
  assertEquals(history.groups[0]?.lines[0]?.values.at(-1), 5999);
  for (let at = 0; at < 1000; at++) history.add(numbers({ a: at }), 1000 + at * 6);
  assertEquals(history.times.length, MAX_MOMENTS);
  assertEquals(history.times.at(-1), 6994);
});

Deno.test("History.add() never lets time go back, as the wall clock may", () => {
  const history = new ChartHistory(HOUR);
  history.add(numbers({ a: 1 }), 1000);
  history.interrupt(500);
  history.add(numbers({ a: 2 }), 10);
  const [first = 0, second = 0] = history.times;
  assertGreater(second, first);
  assertEquals(history.times.toSorted((a, b) => a - b), history.times);
});

Deno.test("History.recall() puts what the hub remembers before what this page has seen since", () => {
  const history = new ChartHistory(HOUR);
  history.add(numbers({ a: 5 }), 105);
  history.add(numbers({ a: 6 }), 120);
  const line = { name: "a", unit: "plain", values: [1, null, 3] };
  history.recall({ times: [90, 100, 110], lines: [line] }, 900);
  assertEquals([history.times, history.windowSeconds], [[90, 100, 110, 120], 900]);
  assertEquals(history.groups[0]?.lines, [{ name: "a", values: [1, null, 3, 6] }]);
});
