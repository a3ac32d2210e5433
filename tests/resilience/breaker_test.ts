import {
  Breaker,
  type BreakerOptions,
  type CallResult,
  type Permit,
} from "../../src/resilience/breaker.ts";
import { assert, assertEquals, assertFalse, assertThrows } from "../support/assert.ts";

const OPTIONS: BreakerOptions = {
  failures: 3,
  openForMs: 1000,
  maxOpenForMs: 5000,
  random: () => 0.5, // the middle of the jitter: nominal times
};

/** A breaker, the hand that moves its time, and a list of everything that became of it. */
class Bench {
  readonly breaker: Breaker;
  readonly transitions: string[] = [];
  now = 0;

  constructor(options: Partial<BreakerOptions> = {}) {
    this.breaker = new Breaker({ ...OPTIONS, ...options });
  }

  get kind(): string {
    return this.breaker.state.kind;
  }

  acquire(): Permit {
    const permit = this.breaker.tryAcquire(this.now);
    if (permit === undefined) throw new Error(`no permit at ${this.now} in state ${this.kind}`);
    return permit;
  }

  report(permit: Permit, result: CallResult): boolean {
    const { isLate, transition } = this.breaker.report(permit, result, this.now);
    if (transition?.to === "open") {
      this.transitions.push(`open ${transition.retryAfterMs} after ${transition.failures}`);
    } else if (transition) this.transitions.push("closed");
    return isLate;
  }

  call(result: CallResult): void {
    assertFalse(this.report(this.acquire(), result));
  }

  trip(): void {
    for (let failure = 0; failure < 3; failure++) this.call("failure");
    assertEquals(this.kind, "open");
  }
}

Deno.test("Breaker.report() opens after `failures` failures in a row, once", () => {
  const bench = new Bench();
  bench.call("failure");
  bench.call("failure");
  assertEquals([bench.kind, bench.breaker.consecutiveFailures], ["closed", 2]);
  bench.call("failure");
  assertEquals([bench.kind, bench.breaker.consecutiveFailures], ["open", 3]);
  assertEquals(bench.transitions, ["open 1000 after 3"]);
});

Deno.test("Breaker.report() starts counting anew after a success, not after a neutral result", () => {
  const bench = new Bench();
  for (
    const result of ["failure", "failure", "success", "failure", "neutral", "failure"] as const
  ) {
    bench.call(result);
  }
  assertEquals([bench.kind, bench.breaker.consecutiveFailures], ["closed", 2]);
  bench.call("failure");
  assertEquals(bench.transitions, ["open 1000 after 3"]);
});

Deno.test("Breaker.tryAcquire() gives nothing while open, then one trial, then nothing again", () => {
  const bench = new Bench();
  bench.trip();
  bench.now = 999.9;
  assertEquals(bench.breaker.tryAcquire(bench.now), undefined);
  assertEquals(bench.kind, "open");
  bench.now = 1000;
  assert(bench.acquire().trial);
  assertEquals(bench.kind, "half_open");
  for (const now of [1000, 2000, 1e9]) assertEquals(bench.breaker.tryAcquire(now), undefined);
  assertEquals(bench.kind, "half_open");
});

Deno.test("Breaker.tryAcquire() gives no trial while closed", () => {
  assertFalse(new Bench().acquire().trial);
});

Deno.test("Breaker.retryAfterMs() counts down while open and is 0 otherwise", () => {
  const bench = new Bench();
  assertEquals(bench.breaker.retryAfterMs(0), 0);
  bench.trip();
  assertEquals([0, 400, 1000, 2000].map((now) => bench.breaker.retryAfterMs(now)), [
    1000,
    600,
    0,
    0,
  ]);
  bench.now = 1000;
  bench.acquire();
  assertEquals(bench.breaker.retryAfterMs(1000), 0);
});

Deno.test("Breaker() tells the whole list of transitions, doubling up to the maximum", () => {
  const bench = new Bench();
  bench.trip();
  for (const wait of [1000, 2000, 4000, 5000, 5000]) {
    bench.now += wait - 1;
    assertEquals(bench.breaker.tryAcquire(bench.now), undefined);
    bench.now += 1;
    bench.call("failure");
  }
  bench.now += 5000;
  bench.call("success");
  assertEquals([bench.kind, bench.breaker.consecutiveFailures], ["closed", 0]);
  bench.trip(); // and the next time starts from the beginning
  assertEquals(bench.transitions, [
    "open 1000 after 3",
    "open 2000 after 4",
    "open 4000 after 5",
    "open 5000 after 6",
    "open 5000 after 7",
    "open 5000 after 8",
    "closed",
    "open 1000 after 3",
  ]);
});

Deno.test("Breaker() leaves a tenth of doubled times to chance, never above the maximum", () => {
  const reopenedFor = (random: number, maxOpenForMs = 5000) => {
    const bench = new Bench({ random: () => random, maxOpenForMs });
    bench.trip();
    assertEquals(bench.breaker.retryAfterMs(0), 1000, "the first time is exact");
    bench.now = 1000;
    bench.call("failure");
    return Math.round(bench.breaker.retryAfterMs(bench.now));
  };
  assertEquals([0, 0.5, 0.9999].map((random) => reopenedFor(random)), [1800, 2000, 2200]);
  assertEquals(reopenedFor(0.9999, 2100), 2100);
  assertEquals(reopenedFor(0.9999, 1000), 1000);
});

Deno.test("Breaker.report() calls late what was begun before it opened, even a success", () => {
  const bench = new Bench();
  const slow = [bench.acquire(), bench.acquire(), bench.acquire()];
  bench.trip();
  const { state } = bench.breaker;
  for (const [at, result] of (["success", "failure", "neutral"] as const).entries()) {
    const permit = slow[at];
    assert(permit && !bench.breaker.isCurrent(permit));
    assert(bench.report(permit, result));
  }
  assert(bench.breaker.state === state);
  assertEquals(bench.transitions, ["open 1000 after 3"]);
});

Deno.test("Breaker.report() calls late a result of the closed time before the last opening", () => {
  const bench = new Bench();
  const slow = bench.acquire();
  bench.trip();
  bench.now = 1000;
  bench.call("success");
  bench.call("failure");
  bench.call("failure");
  assert(bench.report(slow, "failure"), "it must not be the third in a row");
  assert(bench.report(slow, "success"), "nor may it start the count anew");
  assertEquals([bench.kind, bench.breaker.consecutiveFailures], ["closed", 2]);
});

Deno.test("Breaker.report() lets a late success of one trial not close a later half-open", () => {
  const bench = new Bench();
  bench.trip();
  bench.now = 1000;
  const first = bench.acquire();
  assertFalse(bench.report(first, "neutral")); // given up, yet its answer may still come
  const second = bench.acquire();
  assert(second.trial);
  assert(bench.report(first, "success"));
  assertEquals(bench.kind, "half_open");
  assertFalse(bench.report(second, "failure"));
  bench.now = 3000;
  const third = bench.acquire();
  for (const old of [first, second]) {
    for (const result of ["success", "failure", "neutral"] as const) {
      assert(bench.report(old, result));
    }
  }
  assertEquals(bench.kind, "half_open");
  assertFalse(bench.report(third, "success"));
  assertEquals(bench.transitions, ["open 1000 after 3", "open 2000 after 4", "closed"]);
});

Deno.test("Breaker.report() leaves the trial to the next call when one was given up", () => {
  const bench = new Bench();
  bench.trip();
  bench.now = 1000;
  bench.call("neutral");
  assertEquals([bench.kind, bench.breaker.consecutiveFailures], ["open", 3]);
  assertEquals(bench.breaker.retryAfterMs(bench.now), 0);
  assert(bench.acquire().trial);
  assertEquals(bench.transitions, ["open 1000 after 3"]);
});

Deno.test("Breaker.report() still doubles after a trial that was given up", () => {
  const bench = new Bench();
  bench.trip();
  bench.now = 1000;
  bench.call("neutral");
  bench.call("failure");
  assertEquals(bench.transitions, ["open 1000 after 3", "open 2000 after 4"]);
});

Deno.test("Breaker.closeEarly() closes the open or half-open state it was seen in", () => {
  for (const goHalfOpen of [false, true]) {
    const bench = new Bench();
    bench.trip();
    if (goHalfOpen) {
      bench.now = 1000;
      bench.acquire();
    }
    const verdict = bench.breaker.closeEarly(bench.breaker.state);
    assertEquals(verdict, { isLate: false, transition: { to: "closed" } });
    assertEquals([bench.kind, bench.breaker.consecutiveFailures], ["closed", 0]);
  }
});

Deno.test("Breaker.closeEarly() calls late what was seen in a state that is over", () => {
  const bench = new Bench();
  const closed = bench.breaker.state;
  bench.trip();
  const firstOpen = bench.breaker.state;
  assertEquals(bench.breaker.closeEarly(closed), { isLate: true });
  bench.now = 1000;
  const trial = bench.acquire();
  const halfOpen = bench.breaker.state;
  assertEquals(bench.breaker.closeEarly(firstOpen), { isLate: true });
  bench.report(trial, "failure");
  assertEquals(bench.breaker.closeEarly(firstOpen), { isLate: true });
  assertEquals(bench.breaker.closeEarly(halfOpen), { isLate: true });
  assertEquals(bench.kind, "open");
});

Deno.test("Breaker.closeEarly() changes nothing while closed and keeps the count", () => {
  const bench = new Bench();
  bench.call("failure");
  assertEquals(bench.breaker.closeEarly(bench.breaker.state), { isLate: false });
  assertEquals(bench.breaker.consecutiveFailures, 1);
});

Deno.test("Breaker.closeEarly() makes the trial under way late", () => {
  const bench = new Bench();
  bench.trip();
  bench.now = 1000;
  const trial = bench.acquire();
  bench.breaker.closeEarly(bench.breaker.state);
  assert(bench.report(trial, "failure"));
  assertEquals([bench.kind, bench.breaker.consecutiveFailures], ["closed", 0]);
});

Deno.test("Breaker() refuses options out of range, naming them", () => {
  const bad: [Partial<BreakerOptions>, string][] = [
    [{ failures: 0 }, "'failures' must be a positive integer: current value is 0"],
    [{ failures: 1.5 }, "'failures' must be a positive integer: current value is 1.5"],
    [{ failures: NaN }, "'failures'"],
    [{ openForMs: 0 }, "'openForMs' must be a positive number: current value is 0"],
    [{ openForMs: NaN }, "'openForMs'"],
    [{ maxOpenForMs: 999 }, "'maxOpenForMs' must be >= 'openForMs' (1000): current value is 999"],
    [{ maxOpenForMs: NaN }, "'maxOpenForMs'"],
  ];
  for (const [options, message] of bad) {
    assertThrows(() => new Breaker({ ...OPTIONS, ...options }), RangeError, message);
  }
});
