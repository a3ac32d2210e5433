import { OPEN_WITHIN_MS, PendingUpgrades } from "../../../src/server/sockets/pending_upgrades.ts";
import { assertEquals } from "../../support/assert.ts";
import { FakeClock } from "../../support/fake_clock.ts";

function bench() {
  const clock = new FakeClock();
  const stop = new AbortController();
  const pendingUpgrades = new PendingUpgrades({ clock, signal: stop.signal });
  const givenUp: string[] = [];
  const pendingUpgrade = (name: string) => ({
    giveUp: () => givenUp.push(`${name} ${clock.now()}`),
  });
  return { clock, stop, pendingUpgrades, givenUp, pendingUpgrade };
}

Deno.test("PendingUpgrades gives up on each connection in its time, with one timer for all", async () => {
  const { clock, pendingUpgrades, givenUp, pendingUpgrade } = bench();
  for (const name of ["a", "b", "c"]) {
    pendingUpgrades.add(pendingUpgrade(name));
    await clock.advance(1000);
  }
  assertEquals(clock.sleeping, 1);
  await clock.advance(OPEN_WITHIN_MS);
  assertEquals(givenUp, ["a 10000", "b 11000", "c 12000"]);
  assertEquals(clock.sleeping, 0, "nobody is left to wait for");
});

Deno.test("PendingUpgrades leaves alone what has opened, and starts again after a quiet time", async () => {
  const { clock, pendingUpgrades, givenUp, pendingUpgrade } = bench();
  const [opened, late] = [pendingUpgrade("opened"), pendingUpgrade("late")];
  pendingUpgrades.add(opened);
  pendingUpgrades.remove(opened);
  await clock.advance(OPEN_WITHIN_MS);
  pendingUpgrades.add(late);
  await clock.advance(OPEN_WITHIN_MS);
  assertEquals(givenUp, ["late 20000"]);
  assertEquals(clock.sleeping, 0);
});

Deno.test("PendingUpgrades ends with its signal", async () => {
  const { clock, stop, pendingUpgrades, givenUp, pendingUpgrade } = bench();
  pendingUpgrades.add(pendingUpgrade("a"));
  await clock.advance(1);
  stop.abort();
  await clock.advance(2 * OPEN_WITHIN_MS);
  assertEquals([givenUp, clock.sleeping], [[], 0]);
});
