/**
 * A cluster under fire: hubs and the engine die, stand still and are cut off while clients move
 * between hubs. `HOLDFAST_CLUSTER_CLIENTS` (default 40) clients, `HOLDFAST_SEED` repeats a run.
 */
import { assertEquals, assertGreater } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import { READER_TOKEN } from "../support/hub_cluster.ts";
import { hasNatsServer } from "../support/nats.ts";
import { Chance, numberFromEnv, runSeed, say } from "../support/seed.ts";
import { ClusterStorm, MISFORTUNES } from "./cluster_storm.ts";
import { Rover } from "./rover.ts";
import { breachesIn, storyOf } from "./rover_invariants.ts";

const PUBLISH_EVERY_MS = 100;
const STAY_MS = 4000;

/** How long nothing happens between two misfortunes, in milliseconds. */
const REST_MS = 1000;

/** Values are stale after 2 s; the rest is for a machine that is busy with other things. */
const FRESH_FOR_MS = 2000 + 4000;

Deno.test({
  name: "clients that move between hubs under fire miss nothing unsaid, and get nothing twice",
  ignore: !hasNatsServer(),
  async fn() {
    const count = numberFromEnv("HOLDFAST_CLUSTER_CLIENTS", 40);
    const chance = new Chance(runSeed("cluster"));
    await using storm = await ClusterStorm.start();
    await using stack = new AsyncDisposableStack();
    const rovers = Array.from({ length: count }, (_, nth) =>
      stack.use(
        new Rover({
          hubs: () => storm.addresses,
          token: READER_TOKEN,
          chance: chance.fork(),
          // Every fourth one stays until it has to go.
          ...(nth % 4 === 0 ? {} : { stayMs: STAY_MS * Math.max(1, count / 500) }),
        }),
      ));
    await eventually("all are there", () => rovers.every(({ arrivals }) => arrivals > 0));
    const publishing = storm.publish(PUBLISH_EVERY_MS);
    for (const misfortune of shuffled(MISFORTUNES, chance)) {
      const from = performance.now();
      await storm.suffer(misfortune, chance);
      say(
        `cluster: ${misfortune}, together again after ${Math.round(performance.now() - from)} ms`,
      );
      await storm.rest(REST_MS);
    }
    const last = await storm.publishLast();
    await publishing;
    await eventually("all have the last one", () => rovers.every(({ newest }) => newest >= last));

    const { shared, alone, backend: { given } } = storm;
    const arrivals = rovers.reduce((sum, rover) => sum + rover.arrivals, 0);
    const heard = rovers.reduce((sum, { told }) => sum + told.length, 0);
    const gaps = rovers.flatMap(({ told }) => told.filter(({ kind }) => kind === "gap")).length;
    say(
      `cluster: ${count} clients, ${arrivals} welcomes, ${gaps} gaps told, ${heard} frames ` +
        `checked, ${shared.length} of ${storm.published} notifications taken by all, ${alone.length} by one alone`,
    );
    const facts = { shared, alone, given, freshForMs: FRESH_FOR_MS };
    const breaches = rovers.flatMap(({ told }) =>
      breachesIn(told, facts).map((breach) => `${breach}; ${storyOf(told)}`)
    );
    assertEquals(breaches.slice(0, 5), []);
    assertEquals(new Set(rovers.map(({ epoch }) => epoch)).size, 1, "one epoch in the end");
    for (const { from, until } of storm.calms) {
      assertEquals(storm.backend.pollersBetween(from, until).length, 1, "one poller");
    }
    for (const hub of storm.hubs) assertEquals(await hub.stop(), 0);
    await storm[Symbol.asyncDispose]();
    assertEquals(storm.complaints, []);
    // A storm that did nothing would prove nothing.
    assertGreater(arrivals, 2 * count);
    assertGreater(shared.length, 50);
  },
});

function shuffled<T>(items: readonly T[], chance: Chance): T[] {
  return items.map((item) => ({ item, at: chance.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
