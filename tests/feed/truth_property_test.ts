import fc from "fast-check";
import type { Outcome } from "../../src/rpc/backend.ts";
import type { FeedObserver } from "../../src/feed/observer.ts";
import type { StatusData } from "../../src/protocol/status_data.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { backendPlan, FeedBench, HEALTH, sourcePlan } from "../support/feed_bench.ts";
import { ok, rejected, ScriptedBackend, unavailable } from "../support/scripted_backend.ts";

/** How a call goes: how long it takes, and what comes of it. */
const behaviour = fc.record({
  ms: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 4000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 4000, max: 40_000 }) },
  ),
  gives: fc.oneof(
    { weight: 4, arbitrary: fc.constant("value" as const) },
    { weight: 5, arbitrary: fc.constant("unavailable" as const) },
    { weight: 1, arbitrary: fc.constant("rejected" as const) },
    { weight: 1, arbitrary: fc.constant("unencodable" as const) },
  ),
});

const CHANNELS = ["a", "b", "c"];

// A failing run prints its seed and the shortest list of behaviours that fails.
Deno.test("Feed() tells the truth whatever its backend does", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(behaviour, { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 5 }),
      async (behaviours, failures) => {
        // One history of what the backend gave and what clients heard, in the order it happened.
        const history: string[] = [];
        const gave = new Map<number, number>(); // value -> its place in the history
        const observer: FeedObserver = {};
        await using bench = new FeedBench({
          observer,
          onFrame: (line) => history.push(line.slice(line.indexOf(" ") + 1)),
        });
        let at = 0;
        const backend = new ScriptedBackend(async (_, signal): Promise<Outcome> => {
          const { ms, gives } = behaviours[at++ % behaviours.length] ?? { ms: 0, gives: "value" };
          if (ms > 0) await bench.clock.sleep(ms, { signal });
          if (gives === "unavailable") return unavailable();
          if (gives === "rejected") return rejected();
          if (gives === "unencodable") return ok({ n: 1n });
          const value = gave.size;
          gave.set(value, history.length);
          return ok(value);
        });
        const core = backendPlan(backend, {
          breaker: { failures, openForMs: 7000, maxOpenForMs: 30_000 },
          healthCheck: { call: { method: HEALTH }, everyMs: 8000, timeoutMs: 360_000_000 },
        });
        await bench.apply({
          backends: [core],
          sources: CHANNELS.map((channel, nth) =>
            sourcePlan(channel, { everyMs: 3000 + 1000 * nth })
          ),
        });
        await bench.until(180);

        assertEquals(backend.mostAtOnce <= 1, true, "two calls of one source at once");
        let isOpen = false;
        const doubtedAt = new Map<string, number>();
        history.forEach((line, place) => {
          const [what = "", value = "", flag] = line.split(" ");
          if (what === "CIRCUIT_OPEN") {
            isOpen = true;
            for (const channel of CHANNELS) doubtedAt.set(channel, place);
          } else if (what === "RPC_RECOVERED") {
            assert(isOpen, "recovered from nothing");
            isOpen = false;
          } else if (what === "RPC_FAILURE" || what === "JSON_MARSHAL_ERROR") {
            doubtedAt.set(value, place);
          } else if (flag === "fresh") {
            assert(!isOpen, `${history.slice(0, 20).join("|")} fresh while open: ${line}`);
            const givenAt = gave.get(Number(value)) ?? -1;
            assert(givenAt >= (doubtedAt.get(what) ?? 0), `${line} was given before a failure`);
          }
        });
        const { state } = bench.feed.backendReports().core ?? {};
        assertEquals(isOpen, state !== "closed", "clients know whether the breaker is open");
      },
    ),
    { numRuns: 40 },
  );
});

const span = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 100, max: 8000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 8000, max: 90_000 }) },
);
/** What happens to the machine the hub is on. */
const event = fc.oneof(
  { weight: 5, arbitrary: fc.record({ what: fc.constant("runs" as const), ms: span }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant("is halted" as const), ms: span }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("sleeps" as const), ms: span }) },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant("is set" as const),
      ms: fc.integer({ min: -7_200_000, max: 7_200_000 }),
    }),
  },
);

const AGE_SLACK_MS = 1000;

Deno.test("C17 C43 C49: Feed() calls nothing fresh and younger than it is, whatever stands still or is set", async () => {
  let fresh = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(behaviour, { minLength: 1, maxLength: 30 }),
      fc.array(event, { minLength: 1, maxLength: 40 }),
      async (behaviours, events) => {
        let sleptMs = 0;
        const lies: string[] = [];
        /** When each value was given, by a clock that nothing stops and nobody sets. */
        const givenAt = new Map<number, number>();
        /** On their way; and those that were while the clock was set back, which hides a sleep. */
        const onTheirWay = new Set<number>();
        const excused = new Set<number>();
        await using bench = new FeedBench({
          onFrame: () => {
            const { type, data } = bench.audience.frames.at(-1) ?? {};
            const { data: value, is_stale: isStale, age_ms: ageMs = 0 } = data as Partial<
              StatusData
            >;
            if (isStale !== false || excused.has(Number(value))) return;
            fresh += 1;
            const truthMs = trueNow() - (givenAt.get(Number(value)) ?? -Infinity);
            if (ageMs + AGE_SLACK_MS < truthMs) lies.push(`${type} ${value}: ${ageMs}, ${truthMs}`);
          },
        });
        const trueNow = () => bench.clock.now() + sleptMs;
        let at = 0;
        const backend = new ScriptedBackend(async (_, signal): Promise<Outcome> => {
          const { ms, gives } = behaviours[at++ % behaviours.length] ?? { ms: 0, gives: "value" };
          // It gives its value, and the answer takes its time.
          const value = givenAt.size;
          if (gives === "value") {
            givenAt.set(value, trueNow());
            onTheirWay.add(value);
          }
          if (ms > 0) await bench.clock.sleep(ms, { signal });
          if (gives !== "value") return gives === "rejected" ? rejected() : unavailable();
          onTheirWay.delete(value);
          return ok(value);
        });
        await bench.apply({
          backends: [
            backendPlan(backend, { breaker: { failures: 3, openForMs: 2000, maxOpenForMs: 8000 } }),
          ],
          sources: CHANNELS.map((channel, nth) =>
            sourcePlan(channel, { everyMs: 500 + 400 * nth, staleAfterMs: 20_000 })
          ),
        });
        for (const { what, ms } of events) {
          if (what === "runs") await bench.clock.advance(ms);
          else if (what === "is halted") await bench.clock.jump(ms);
          else {
            bench.clock.stepWall(ms);
            if (what === "sleeps") sleptMs += ms;
            else if (ms < 0) { for (const value of onTheirWay) excused.add(value); }
            await bench.clock.advance(1); // whoever reads a value now reads it of now
          }
          for (const channel of CHANNELS) {
            const status = bench.values.read(channel);
            if (status !== undefined) bench.audience.value(channel, status);
          }
        }
        assertEquals(lies, []);
      },
    ),
    { numRuns: 60 },
  );
  assert(fresh > 0, "nothing was ever fresh");
});
