import { Histogram } from "../../src/telemetry/histogram.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";

Deno.test("Histogram() counts each value in the first bucket it fits, bounds included", () => {
  const histogram = new Histogram([0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 1, 1.5, 100]) histogram.observe(value);
  const { bounds, cumulative, sum } = histogram.value();
  assertEquals([bounds, cumulative], [[0.1, 1], [2, 4, 6]]);
  assertEquals(sum, 103.15);
});

Deno.test("Histogram() takes what is below 0 or no number for 0", () => {
  const histogram = new Histogram([1]);
  histogram.observe(-5);
  histogram.observe(NaN);
  assertEquals(histogram.value(), { bounds: [1], cumulative: [2, 2], sum: 0 });
});

Deno.test("Histogram.value() is a picture that does not change afterwards", () => {
  const histogram = new Histogram([1]);
  const before = histogram.value();
  histogram.observe(1);
  assertEquals(before.cumulative, [0, 0]);
});

Deno.test("Histogram() throws a RangeError on bounds that do not ascend", () => {
  for (const bounds of [[1, 1], [2, 1], [NaN], [Infinity]]) {
    assertThrows(() => new Histogram(bounds), RangeError, "'bounds' must ascend");
  }
});
