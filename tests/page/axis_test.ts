import { nearest, rangeOf, timesOf } from "../../src/page/charts/axis.ts";
import { assertEquals } from "../support/assert.ts";

const lineOf = (...values: (number | null)[]) => [{ name: "a", values }];

Deno.test("rangeOf() begins at zero unless that would hide what moves", () => {
  assertEquals(rangeOf(lineOf(2, 10), "plain"), [0, 10]);
  assertEquals(rangeOf(lineOf(-4, 10), "plain"), [-4, 10]);
  assertEquals(rangeOf(lineOf(1000, null, 1040), "bytes"), [990, 1050]);
  assertEquals(rangeOf(lineOf(0.5, 0.51), "ratio"), [0, 1]);
  assertEquals(rangeOf(lineOf(null), "plain"), [0, 1]);
  assertEquals(rangeOf(lineOf(7, 7), "plain"), [0, 7]);
});

Deno.test("timesOf() ends now, and begins no earlier than anything is known", () => {
  assertEquals(timesOf([1000, 2000], 3600, 5000), [1400, 5000]);
  assertEquals(timesOf([4000, 4500], 3600, 5000), [4000, 5000]);
  assertEquals(timesOf([4990], 3600, 5000), [4940, 5000]);
});

Deno.test("nearest() finds the moment next to a time", () => {
  assertEquals([nearest([], 5), nearest([1, 5, 9], 6), nearest([1, 5, 9], 99)], [-1, 1, 2]);
});
