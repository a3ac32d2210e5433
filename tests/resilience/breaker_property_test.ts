import fc from "fast-check";
import { Breaker, type BreakerState, type Permit } from "../../src/resilience/breaker.ts";
import { assert, assertAlmostEquals, assertEquals, assertFalse } from "../support/assert.ts";

/** What may happen to a breaker; numbers choose among what there is. */
const step = fc.oneof(
  fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 500, 1000, 3000) }),
  { weight: 3, arbitrary: fc.record({ do: fc.constant("acquire" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("report" as const),
      which: fc.nat(100),
      result: fc.constantFrom(
        "success" as const,
        "failure" as const,
        "failure",
        "neutral" as const,
      ),
    }),
  },
  fc.record({ do: fc.constant("closeEarly" as const), which: fc.nat(100) }),
);

const FAILURES = 2; // few, so that every state is reached often
const OPEN_FOR_MS = 1000;
const MAX_OPEN_FOR_MS = 6000;

// A failing run prints its seed and the shortest sequence of steps that fails.
Deno.test("Breaker() keeps its promises under any sequence of steps", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 120, size: "max" }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (steps, chance) => {
        const breaker = new Breaker({
          failures: FAILURES,
          openForMs: OPEN_FOR_MS,
          maxOpenForMs: MAX_OPEN_FOR_MS,
          random: () => chance,
        });
        let now = 0;
        const permits: Permit[] = [];
        const states: BreakerState[] = [breaker.state];
        const told: ("open" | "closed")[] = [];
        for (const each of steps) {
          const before = breaker.state;
          const failuresBefore = breaker.consecutiveFailures;
          switch (each.do) {
            case "wait":
              now += each.ms;
              assert(breaker.state === before, "time alone changes nothing");
              break;
            case "acquire": {
              const waitMs = breaker.retryAfterMs(now);
              const permit = breaker.tryAcquire(now);
              const isDue = before.kind === "open" && waitMs === 0;
              assertEquals(permit !== undefined, before.kind === "closed" || isDue);
              if (permit) {
                assertEquals(permit.trial, before.kind === "open");
                assert(breaker.isCurrent(permit));
                permits.push(permit);
              } else assert(breaker.state === before);
              break;
            }
            case "report": {
              const permit = permits.splice(each.which % Math.max(1, permits.length), 1)[0];
              if (permit === undefined) break;
              const wasCurrent = breaker.isCurrent(permit);
              const { isLate, transition } = breaker.report(permit, each.result, now);
              assertEquals(isLate, !wasCurrent);
              if (isLate) {
                assert(breaker.state === before && transition === undefined);
                assertEquals(breaker.consecutiveFailures, failuresBefore);
              }
              if (transition) told.push(transition.to);
              if (transition?.to === "open") {
                assertEquals(each.result, "failure");
                assertAlmostEquals(transition.retryAfterMs, breaker.retryAfterMs(now), 1e-6);
                assert(transition.retryAfterMs <= MAX_OPEN_FOR_MS);
                assert(transition.retryAfterMs >= OPEN_FOR_MS * 0.9);
              }
              break;
            }
            case "closeEarly": {
              const seenIn = states[each.which % states.length];
              assert(seenIn);
              const { isLate, transition } = breaker.closeEarly(seenIn);
              assertEquals(isLate, seenIn !== before);
              if (transition) told.push(transition.to);
            }
          }
          const { state } = breaker;
          if (state !== before) {
            assertFalse(states.includes(state), "no state comes back");
            states.push(state);
          }
          // Whoever listens knows the truth: closed until told otherwise.
          assertEquals(state.kind === "closed", (told.at(-1) ?? "closed") === "closed");
          if (state.kind === "closed") assert(breaker.consecutiveFailures < FAILURES);
          else assert(breaker.consecutiveFailures >= FAILURES);
          const trials = permits.filter((permit) => permit.trial && breaker.isCurrent(permit));
          assert(trials.length <= 1, "one trial at a time");
        }
        // A closing is told only after an opening: never two in a row.
        told.forEach((to, at) => {
          if (to === "closed") assertEquals(told[at - 1], "open");
        });
      },
    ),
    { numRuns: 500 },
  );
});
