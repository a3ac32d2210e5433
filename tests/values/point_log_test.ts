import { MAX_CHANNELS, MAX_LINES, PointLog } from "../../src/values/point_log.ts";
import { assertEquals, assertLess } from "../support/assert.ts";

const point = (value: number, name = "a") => ({ name, unit: "plain", value });

Deno.test("PointLog keeps a point every ten seconds, and where a line broke", () => {
  const log = new PointLog();
  for (let at = 0; at <= 30; at += 5) log.add("x", [point(at)], 1000 + at);
  log.interrupt("x", 1031);
  log.interrupt("x", 1032);
  log.add("x", [point(99)], 1033);
  assertEquals(log.read("x", 1000, 1040), {
    times: [1000, 1010, 1020, 1030, 1031, 1033],
    lines: [{ name: "a", unit: "plain", values: [0, 10, 20, 30, null, 99] }],
  });
  assertEquals(log.read("x", 1020, 1040)?.times, [1020, 1030, 1031, 1033]);
  assertEquals(log.read("y", 0, 1040), undefined);
});

Deno.test("PointLog tells of a day coarsely, and holds no more than its bound", () => {
  const log = new PointLog();
  const day = 86_400;
  for (let at = 0; at <= 2 * day; at += 10) log.add("x", [point(at)], at);
  const hour = log.read("x", 2 * day - 3600, 2 * day)?.times ?? [];
  const whole = log.read("x", day, 2 * day)?.times ?? [];
  assertEquals([hour.length, whole.length], [360, 360]);
  assertLess(whole[0] ?? Infinity, day + 500);
  assertEquals(log.read("x", 0, 2 * day)?.times.length, 360);
});

Deno.test("PointLog is bounded in channels and in numbers of one", () => {
  const log = new PointLog();
  for (let index = 0; index < MAX_CHANNELS + 5; index++) log.add(`c${index}`, [point(1)], 100);
  assertEquals(log.read(`c${MAX_CHANNELS - 1}`, 0, 100)?.times, [100]);
  assertEquals(log.read(`c${MAX_CHANNELS}`, 0, 100), undefined);
  assertEquals(log.isDue("late", 200), false);
  log.forget("c0");
  assertEquals(log.isDue("late", 200), true);
  const many = Array.from({ length: 20 }, (_, index) => point(index, `n${index}`));
  log.add("late", many, 200);
  assertEquals(log.read("late", 0, 200)?.lines.length, MAX_LINES);
});

Deno.test("PointLog goes on when the clock was set back", () => {
  const log = new PointLog();
  log.add("x", [point(1)], 5000);
  log.add("x", [point(2)], 1000);
  const { times = [] } = log.read("x", 0, 5001) ?? {};
  assertEquals(times, [5000, 5000.1]);
});
