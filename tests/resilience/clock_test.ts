import { systemClock } from "../../src/resilience/clock.ts";
import { assert, assertEquals, assertRejects, assertStrictEquals } from "../support/assert.ts";

Deno.test("systemClock.sleep() never wakes sooner than it was asked to, fractions included", async () => {
  const early = await Promise.all(Array.from({ length: 40 }, async (_, at) => {
    const ms = 3 + at * 0.37;
    const start = systemClock.now();
    await systemClock.sleep(ms);
    return systemClock.now() - start < ms;
  }));
  assertEquals(early.filter(Boolean), []);
});

Deno.test("systemClock.sleep() gives the signal's reason at once and leaves no timer", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const sleeping = systemClock.sleep(60_000, { signal: controller.signal });
  controller.abort(reason);
  assertStrictEquals(await assertRejects(() => sleeping, Error), reason);
  const already = systemClock.sleep(60_000, { signal: controller.signal });
  assertStrictEquals(await assertRejects(() => already, Error), reason);
});

Deno.test("systemClock.now() does not go back; unixSeconds() is whole seconds of the wall clock", () => {
  const a = systemClock.now();
  assert(systemClock.now() >= a);
  const seconds = systemClock.unixSeconds();
  assert(Number.isInteger(seconds));
  assert(Math.abs(seconds - Date.now() / 1000) < 5);
});
