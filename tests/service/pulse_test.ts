import { assert, assertEquals, assertThrows } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { Pulse } from "../../src/service/pulse.ts";

Deno.test("Pulse.isAlive() for as long after a beat as it was told", async () => {
  const clock = new FakeClock();
  const pulse = new Pulse({ clock, withinMs: 100 });
  await clock.advance(100);
  assert(pulse.isAlive(), "alive at first");
  await clock.advance(1);
  assertEquals(pulse.isAlive(), false);
  pulse.beat();
  await clock.advance(100);
  assert(pulse.isAlive(), "alive after a beat");
  await clock.advance(1);
  assertEquals(pulse.isAlive(), false);
});

Deno.test("Pulse throws if 'withinMs' is not positive", () => {
  for (const withinMs of [0, -1, NaN]) {
    assertThrows(() => new Pulse({ clock: new FakeClock(), withinMs }), RangeError, "'withinMs'");
  }
});
