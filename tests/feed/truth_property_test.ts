import fc from "fast-check";
import type { Outcome } from "../../src/rpc/backend.ts";
import type { FeedObserver } from "../../src/feed/observer.ts";
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
