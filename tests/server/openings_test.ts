import { OPEN_WITHIN_MS, Openings } from "../../src/server/openings.ts";
import { assertEquals } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";

function bench() {
  const clock = new FakeClock();
  const stop = new AbortController();
  const openings = new Openings({ clock, signal: stop.signal });
  const givenUp: string[] = [];
  const opening = (name: string) => ({ giveUp: () => givenUp.push(`${name} ${clock.now()}`) });
  return { clock, stop, openings, givenUp, opening };
}

Deno.test("Openings gives up on each connection in its time, with one timer for all", async () => {
  const { clock, openings, givenUp, opening } = bench();
  for (const name of ["a", "b", "c"]) {
    openings.add(opening(name));
    await clock.advance(1000);
  }
  assertEquals(clock.sleeping, 1);
  await clock.advance(OPEN_WITHIN_MS);
  assertEquals(givenUp, ["a 10000", "b 11000", "c 12000"]);
  assertEquals(clock.sleeping, 0, "nobody is left to wait for");
});

Deno.test("Openings leaves alone what has opened, and starts again after a quiet time", async () => {
  const { clock, openings, givenUp, opening } = bench();
  const [opened, late] = [opening("opened"), opening("late")];
  openings.add(opened);
  openings.remove(opened);
  await clock.advance(OPEN_WITHIN_MS);
  openings.add(late);
  await clock.advance(OPEN_WITHIN_MS);
  assertEquals(givenUp, ["late 20000"]);
  assertEquals(clock.sleeping, 0);
});

Deno.test("Openings ends with its signal", async () => {
  const { clock, stop, openings, givenUp, opening } = bench();
  openings.add(opening("a"));
  await clock.advance(1);
  stop.abort();
  await clock.advance(2 * OPEN_WITHIN_MS);
  assertEquals([givenUp, clock.sleeping], [[], 0]);
});
