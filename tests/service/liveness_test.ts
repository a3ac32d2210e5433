import { assert, assertEquals, assertThrows } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { Liveness } from "../../src/service/liveness.ts";

Deno.test("Liveness.isAlive() for as long after a beat as it was told", async () => {
  const clock = new FakeClock();
  const liveness = new Liveness({ clock, withinMs: 100 });
  await clock.advance(100);
  assert(liveness.isAlive(), "alive at first");
  await clock.advance(1);
  assertEquals(liveness.isAlive(), false);
  liveness.beat();
  await clock.advance(100);
  assert(liveness.isAlive(), "alive after a beat");
  await clock.advance(1);
  assertEquals(liveness.isAlive(), false);
});

Deno.test("Liveness throws if 'withinMs' is not positive", () => {
  for (const withinMs of [0, -1, NaN]) {
    assertThrows(
      () => new Liveness({ clock: new FakeClock(), withinMs }),
      RangeError,
      "'withinMs'",
    );
  }
});
