import { Age } from "../../src/values/age.ts";
import { assertEquals } from "../support/assert.ts";

function at(monotonicMs: number, unixMs: number) {
  return { monotonicMs, unixMs };
}

Deno.test("Age.ms() is what both clocks say while they agree", () => {
  const age = new Age(at(100, 5000), at(100, 5000));
  assertEquals(age.ms(at(100, 5000)), 0);
  assertEquals(age.ms(at(350.4, 5250)), 250);
});

Deno.test("C17: Age.ms() is the larger of the two where the wall clock has gone further", () => {
  const age = new Age(at(0, 0), at(0, 0));
  assertEquals(age.ms(at(5_000, 3_605_000)), 3_605_000);
  assertEquals(age.ms(at(6_000, 3_606_000)), 3_606_000);
});

Deno.test("C17: Age.ms() gets no smaller by a step back of the wall clock, and goes on from there", () => {
  const age = new Age(at(0, 10_000), at(0, 10_000));
  assertEquals(age.ms(at(2_000, 2_000)), 2_000);
  assertEquals(age.ms(at(3_000, 63_000)), 63_000);
  assertEquals(age.ms(at(3_000, 3_000)), 63_000);
  assertEquals(age.ms(at(4_000, 4_000)), 64_000);
});

Deno.test("C17: Age.ms() sees a sleep that comes after the wall clock was set back", () => {
  const age = new Age(at(0, 0), at(0, 0));
  assertEquals(age.ms(at(1_000, -3_599_000)), 1_000); // an hour back
  assertEquals(age.ms(at(2_000, -1_798_000)), 1_802_000); // half an hour asleep
});

Deno.test("Age.ms() grows by no rounding of the clocks, however often it is looked at", () => {
  const age = new Age(at(0, 0), at(0, 0));
  for (let ms = 0; ms < 100_000; ms += 7.3) age.look(at(ms, Math.floor(ms)));
  assertEquals(age.ms(at(100_000, 100_000)), 100_000);
});

Deno.test("C49: Age.ms() counts from when it began, not from when it was heard of", () => {
  assertEquals(new Age(at(0, 0), at(40_000, 40_000)).ms(at(40_000, 40_000)), 40_000);
});

Deno.test("Age.ms() is never below 0, though it be said to begin in times to come", () => {
  assertEquals(new Age(at(50, 50), at(0, 0)).ms(at(0, 0)), 0);
});
