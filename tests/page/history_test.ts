import { ChartHistory, MAX_MOMENTS } from "../../src/page/history.ts";
import type { Readings } from "../../src/page/series.ts";
import { assertEquals, assertGreater } from "../support/assert.ts";

function readings(values: Record<string, number>, unit: Readings["unit"] = "plain"): Readings {
  return { unit, list: Object.entries(values).map(([name, value]) => ({ name, value })) };
}

Deno.test("History.add() keeps a line for each number", () => {
  const history = new ChartHistory();
  history.add(readings({ a: 1, b: 2 }), 100);
  history.add(readings({ a: 3, b: 4 }), 105);
  assertEquals(history.times, [100, 105]);
  assertEquals(history.lines, [{ name: "a", values: [1, 3] }, { name: "b", values: [2, 4] }]);
});

Deno.test("History.add() lets a line begin where its number came", () => {
  const history = new ChartHistory();
  history.add(readings({ a: 1 }), 100);
  history.add(readings({ a: 2, b: 9 }), 105);
  assertEquals(history.lines.at(1), { name: "b", values: [null, 9] });
});

Deno.test("History.interrupt() breaks the lines once, however often it is told", () => {
  const history = new ChartHistory();
  history.interrupt(90);
  history.add(readings({ a: 1 }), 100);
  history.interrupt(100.1);
  history.interrupt(105);
  history.add(readings({ a: 2 }), 110);
  assertEquals(history.lines, [{ name: "a", values: [1, null, 2] }]);
});

Deno.test("History.add() takes moments within a second as one, and forgets the oldest", () => {
  const history = new ChartHistory();
  for (let at = 0; at < 1000; at++) history.add(readings({ a: at }), 100 + at / 10);
  assertEquals(history.times.length, 100);
  for (let at = 0; at < 1000; at++) history.add(readings({ a: at }), 1000 + at);
  assertEquals([history.times.length, history.lines[0]?.values.length], [MAX_MOMENTS, MAX_MOMENTS]);
});

Deno.test("History.add() never lets time go back, as the wall clock may", () => {
  const history = new ChartHistory();
  history.add(readings({ a: 1 }), 1000);
  history.interrupt(500);
  history.add(readings({ a: 2 }), 10);
  const [first = 0, second = 0] = history.times;
  assertGreater(second, first);
  assertEquals(history.times.toSorted((a, b) => a - b), history.times);
});

Deno.test("History.add() begins anew when the unit changes", () => {
  const history = new ChartHistory();
  history.add(readings({ a: 1 }, "bytes"), 100);
  history.add(readings({ a: 0.5 }, "ratio"), 105);
  assertEquals([history.times, history.unit], [[105], "ratio"]);
});
