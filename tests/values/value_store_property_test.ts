import fc from "fast-check";
import type { JsonText } from "../../src/protocol/codec.ts";
import type { Moment } from "../../src/resilience/clock.ts";
import type { ValueOrigin } from "../../src/values/value.ts";
import { STANDSTILL_MS, ValueStore } from "../../src/values/value_store.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { polled, published } from "./support.ts";

const SETTINGS = {
  polled: polled(9000),
  slow: polled(60_000),
  published: published(20_000),
  kept: published(),
};
type Name = keyof typeof SETTINGS;
const NAMES = Object.keys(SETTINGS) as Name[];

/** What the model knows of a value: enough to say its age from nothing but moments that were seen. */
interface ModelValue {
  n: number;
  calledAt: Moment;
  /** Every moment at which it was looked at. */
  seen: Moment[];
  origin: ValueOrigin;
  validForMs: number;
}

/** The rules of the store, as plainly as they can be said, and as slowly. */
class Model {
  mono = 1_000_000;
  wall = 1_764_000_000_000;
  values = new Map<Name, ModelValue>();
  /** Why each is in doubt: by whom, and after which moment a call has to begin to end it. */
  doubts = new Map<Name, { why: string; sinceMs: number }>();
  distrusted = new Map<ValueOrigin, string>();
  lookedAt: Moment | undefined;

  get now(): Moment {
    return { monotonicMs: this.mono, unixMs: this.wall };
  }

  /** What the monotonic clock says, and every step forward that the wall clock was seen to make. */
  age({ calledAt, seen }: ModelValue): number {
    let age = this.mono - calledAt.monotonicMs;
    let before = calledAt;
    for (const moment of [...seen, this.now]) {
      const byMonotonic = moment.monotonicMs - before.monotonicMs;
      const byWall = moment.unixMs - before.unixMs;
      age += Math.max(0, byWall - byMonotonic);
      before = moment;
    }
    return Math.max(0, age);
  }

  /** What the store does in whatever it is asked. */
  touch(): void {
    const { lookedAt, now } = this;
    if (lookedAt === undefined) return;
    const gapMs = Math.max(this.mono - lookedAt.monotonicMs, this.wall - lookedAt.unixMs);
    if (gapMs < STANDSTILL_MS) return;
    this.lookedAt = now;
    for (const name of NAMES) {
      const value = this.values.get(name);
      value?.seen.push(now);
      if (value === undefined || SETTINGS[name].feeder.kind !== "backend") continue;
      const why = this.doubts.get(name)?.why ?? `the hub stood still for ${gapMs} ms`;
      this.doubts.set(name, { why, sinceMs: this.mono });
    }
  }

  look(): void {
    this.lookedAt ??= this.now;
    this.touch();
    this.lookedAt = this.now;
    for (const value of this.values.values()) value.seen.push(this.now);
  }

  put(
    name: Name,
    value: ModelValue,
    { isLate, doubt: come }: { isLate: boolean; doubt?: string },
  ): void {
    this.touch();
    const held = this.values.get(name);
    const age = this.age(value);
    if (held !== undefined) {
      held.seen.push(this.now);
      const bothOfStream = held.origin === "stream" && value.origin === "stream" && !isLate;
      if (!bothOfStream && this.age(held) < age - 1) return;
    }
    this.values.set(name, value);
    const doubt = this.doubts.get(name);
    if (doubt !== undefined && this.mono - age + 1 >= doubt.sinceMs) this.doubts.delete(name);
    if (come !== undefined) {
      this.doubts.set(name, { why: come, sinceMs: this.doubts.get(name)?.sinceMs ?? -Infinity });
    }
  }

  doubt(name: Name, why: string): void {
    this.touch();
    this.doubts.set(name, { why, sinceMs: this.doubts.get(name)?.sinceMs ?? -Infinity });
  }

  /** Why a channel's value is stale; undefined while it is fresh. */
  why(name: Name): string | undefined {
    const value = this.values.get(name);
    const settings = SETTINGS[name];
    if (value === undefined) return this.doubts.get(name)?.why;
    const isPolled = settings.feeder.kind === "backend";
    return this.distrusted.get(value.origin) ?? this.doubts.get(name)?.why ??
      (isPolled && value.origin === "restored" ? "restored" : undefined) ??
      (this.age(value) >= Math.min(settings.staleAfterMs, value.validForMs) ? "old" : undefined);
  }
}

const name = fc.constantFrom(...NAMES);
const ms = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 3000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 3000, max: 90_000 }) },
);
/** By how much clocks part: what is within their resolution of a millisecond is no step. */
const partingMs = (mostMs: number) =>
  fc.integer({ min: -mostMs, max: mostMs }).map((ms) => Math.abs(ms) <= 1 ? 0 : ms);
const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("put" as const),
      name,
      origin: fc.constantFrom<ValueOrigin[]>("poll", "stream", "publisher"),
      /** How long the call took. */
      tookMs: ms,
      /** How far a writer's wall clock is off, where the value comes by the stream. */
      skewMs: partingMs(5000),
      isLate: fc.boolean(),
      isDoubted: fc.boolean(),
      validForMs: fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 30_000 })),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("advance" as const), ms }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("halt" as const), ms }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("sleep" as const), ms }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("step" as const),
      ms: partingMs(100_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("doubt" as const), name }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("distrust" as const), lasts: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const), ms }) },
);

// A failing run prints its seed and the shortest list of operations that fails.
Deno.test("ValueStore says what its model says, whatever clocks, polls, hubs and restarts do", () => {
  fc.assert(
    fc.property(fc.array(operation, { minLength: 1, maxLength: 60 }), (operations) => {
      const model = new Model();
      const clock = { now: () => model.mono, unixMs: () => model.wall };
      const standings = new Map<string, string>();
      const ages = new Map<Name, { n: unknown; age: number; mono: number }>();
      const open = () => {
        const values = new ValueStore({ clock });
        values.configure(new Map(Object.entries(SETTINGS)));
        values.subscribe({
          onStanding: ({ channel, standing }) => {
            assert(standings.get(channel) !== standing, `${channel} is ${standing} told twice`);
            standings.set(channel, standing);
          },
        });
        return values;
      };
      let values = open();
      let count = 0;

      const look = () => {
        model.look();
        values.look();
      };
      /** Time in which the process runs: it looks at the clocks every second. */
      const run = (ms: number) => {
        for (let leftMs = ms; leftMs > 0; leftMs -= 1000) {
          model.mono += Math.min(1000, leftMs);
          model.wall += Math.min(1000, leftMs);
          look();
        }
      };
      const check = () => {
        for (const each of NAMES) {
          model.touch();
          const shown = values.read(each);
          const value = model.values.get(each);
          assertEquals(shown?.data, value && String(value.n), `${each}: the value`);
          if (shown === undefined || value === undefined) continue;
          const why = model.why(each);
          assertEquals(shown.is_stale, why !== undefined, `${each} is stale: ${why}`);
          assertEquals(shown.age_ms, model.age(value), `${each}: its age`);
          value.seen.push(model.now);
          assertEquals(shown.error === undefined, !shown.is_stale, "a stale one says why");
          if (why !== undefined && !["old", "restored"].includes(why)) {
            assertEquals(shown.error?.details, why);
          }
          // Whatever the rules: no value gets younger, nor older more slowly than time goes by.
          const before = ages.get(each);
          if (before !== undefined && before.n === value) {
            assert(shown.age_ms - before.age >= model.mono - before.mono, `${each} got younger`);
          }
          ages.set(each, { n: value, age: shown.age_ms, mono: model.mono });
        }
      };

      look();
      for (const each of operations) {
        switch (each.do) {
          case "put": {
            const { tookMs, skewMs, origin, validForMs, isLate, isDoubted, name } = each;
            const wall = model.wall - tookMs + (origin === "stream" ? skewMs : 0);
            const n = count++;
            const calledAt = { monotonicMs: model.mono - tookMs, unixMs: wall };
            const come = isDoubted && origin === "stream" ? { doubt: `doubt of ${n}` } : {};
            model.put(name, { n, calledAt, seen: [model.now], origin, validForMs }, {
              isLate,
              ...come,
            });
            values.put(name, {
              text: String(n) as JsonText,
              calledAt,
              origin,
              ...(validForMs === Infinity ? {} : { validForMs }),
              isLate,
              ...come,
            });
            break;
          }
          case "advance":
            run(each.ms);
            break;
          case "halt": // the process stood still
            model.mono += each.ms;
            model.wall += each.ms;
            break;
          case "sleep": // so did the machine, its monotonic clock included
            model.wall += each.ms;
            break;
          case "step":
            model.wall += each.ms;
            break;
          case "doubt": {
            const why = `doubt ${count++}`;
            model.doubt(each.name, why);
            values.doubt(each.name, why);
            break;
          }
          case "distrust":
            model.touch();
            if (each.lasts) {
              model.distrusted.set("stream", "out of reach");
              values.distrust("stream", "out of reach");
            } else {
              model.distrusted.delete("stream");
              values.trust("stream");
            }
            // Both look at every value; where nothing was distrusted the store need not.
            look();
            break;
          case "restart": {
            const records = JSON.parse(JSON.stringify(values.records()));
            model.touch();
            const kept = [...model.values].map(([name, value]) =>
              [name, value, model.age(value)] as const
            );
            model.mono = 5000; // the machine may have been started anew
            model.wall += each.ms;
            model.values.clear();
            model.doubts.clear();
            model.distrusted.clear();
            model.lookedAt = undefined;
            ages.clear();
            standings.clear();
            values = open();
            for (const [name, value, ageMs] of kept) {
              const age = Math.max(ageMs, model.wall - value.calledAt.unixMs);
              const calledAt = { ...value.calledAt, monotonicMs: model.mono - age };
              model.values.set(name, { ...value, calledAt, seen: [model.now], origin: "restored" });
            }
            for (const record of records) values.restore(record);
            look();
          }
        }
        check();
      }
      // What listeners were told, all together, is what there is to be read.
      look();
      for (const name of NAMES) {
        const why = model.why(name);
        const isKnown = model.values.has(name) || why !== undefined;
        const expected = why === undefined ? "fresh" : "stale";
        assertEquals(standings.get(name), isKnown ? expected : undefined, name);
      }
    }),
    { numRuns: 1000 },
  );
});
