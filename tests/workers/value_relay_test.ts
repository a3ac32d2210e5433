import fc from "fast-check";
import type { Moment } from "../../src/resilience/clock.ts";
import { ValueStore } from "../../src/values/value_store.ts";
import { ClockOffset } from "../../src/workers/clock_offset.ts";
import type { ToThread } from "../../src/workers/messages.ts";
import { ValueRelay } from "../../src/workers/value_relay.ts";
import { assertEquals } from "../support/assert.ts";
import { polled, published, StoreBench } from "../values/support.ts";

const CHANNELS = ["a", "b"];

/** How far the thread's monotonic clock is from the main thread's, in milliseconds. */
const OFFSET_MS = -4321;

/** A store, and another thread's that is told of it. */
class Pair extends StoreBench {
  readonly there: ValueStore;
  readonly posted: ToThread[] = [];
  readonly relay: ValueRelay;
  readonly #offset = new ClockOffset();

  constructor() {
    super({ a: polled(1000), b: published(2000) });
    const { clock } = this;
    const now = () => clock.now() + OFFSET_MS;
    this.there = new ValueStore({ clock: { now, unixMs: () => clock.unixMs() } });
    this.there.configure(new Map(this.values.allSettings()));
    this.#offset.learn({ thread: now(), main: clock.now() });
    this.relay = new ValueRelay(this.values, (message) => {
      this.posted.push(message);
      if (message.kind === "retired") this.there.retire(message.channel);
      if (message.kind !== "copy") return;
      const { copy } = structuredClone(message);
      this.there.adopt({ ...copy, began: this.#offset.moment(copy.began) });
    });
  }
}

Deno.test("ValueRelay has another thread read of every value what the main thread reads", async () => {
  const channel = fc.constantFrom(...CHANNELS);
  const step = fc.oneof(
    fc.record({ do: fc.constant("put" as const), channel, value: fc.nat(3), ageMs: fc.nat(800) }),
    fc.record({ do: fc.constant("restore" as const), channel, value: fc.nat(3) }),
    fc.record({ do: fc.constant("doubt" as const), channel, why: fc.constantFrom("x", "y") }),
    fc.record({ do: fc.constant("distrust" as const), why: fc.constantFrom("p", "q") }),
    fc.record({ do: fc.constant("trust" as const) }),
    fc.record({ do: fc.constant("look" as const) }),
    fc.record({ do: fc.constant("pass" as const), ms: fc.nat(1500) }),
    fc.record({ do: fc.constant("wall" as const), ms: fc.integer({ min: -5000, max: 5000 }) }),
    fc.record({
      do: fc.constant("configure" as const),
      staleAfterMs: fc.integer({ min: 500, max: 3000 }),
    }),
    fc.record({ do: fc.constant("retire" as const), channel }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const pair = new Pair();
      const { values, there, clock } = pair;
      for (const each of steps) {
        switch (each.do) {
          case "put": {
            const { monotonicMs, unixMs } = pair.now;
            const calledAt: Moment = {
              monotonicMs: monotonicMs - each.ageMs,
              unixMs: unixMs - each.ageMs,
            };
            pair.put(each.channel, each.value, {
              calledAt,
              origin: each.channel === "a" ? "poll" : "publisher",
            });
            break;
          }
          case "restore": {
            const record = values.record(each.channel);
            if (record) values.restore(record);
            break;
          }
          case "doubt":
            values.doubt(each.channel, each.why);
            break;
          case "distrust":
            values.distrust("poll", each.why);
            break;
          case "trust":
            values.trust("poll");
            break;
          case "look":
            values.look();
            break;
          case "pass":
            await clock.advance(each.ms);
            break;
          case "wall":
            clock.stepWall(each.ms);
            values.look(); // as the watch does all the time
            break;
          case "configure": {
            const settings = new Map([["a", polled(each.staleAfterMs)], ["b", published()]]);
            values.configure(settings);
            there.configure(settings);
            break;
          }
          case "retire":
            values.retire(each.channel);
        }
        for (const name of CHANNELS) {
          // What was asked for is told; the clocks' reading of an age may differ by a rounding.
          const [here, shown] = [values.read(name), there.read(name)].map((status) =>
            status &&
            { ...status, age_ms: 0, error: status.error && { ...status.error, details: "" } }
          );
          assertEquals(shown, here, JSON.stringify(each));
          assertEquals(there.revision(name), values.revision(name));
        }
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("ValueRelay tells nothing twice, and sends a text that threads have only once", () => {
  const pair = new Pair();
  pair.put("a", { n: 1 });
  const copies = () => pair.posted.filter(({ kind }) => kind === "copy").length;
  const before = copies();
  for (let look = 0; look < 10; look++) pair.values.look();
  assertEquals(copies(), before);
  const status = pair.values.read("a");
  assertEquals(status && "data" in pair.relay.lean("a", status), false);
  assertEquals(status && "data" in pair.relay.lean("b", status), true);
});
