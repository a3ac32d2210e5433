import { assertEquals } from "../support/assert.ts";
import { FrameCheck } from "./frame_check.ts";
import type { ResumePoint } from "./journal.ts";

/** In unix milliseconds, on a whole second. */
const NOW = 1_764_000_000_000;

class Bench {
  readonly check = new FrameCheck({ givenAt: (_, n) => n > 0 ? NOW - n * 1000 : undefined });

  constructor(resume?: ResumePoint) {
    this.check.open(resume);
  }

  take(type: string, data: object, seq?: number): this {
    const frame = { type, data, timestamp: NOW / 1000, at: NOW };
    this.check.take(seq === undefined ? frame : { ...frame, seq });
    return this;
  }

  welcome(data: object = {}): this {
    return this.take("welcome", {
      session: "s",
      epoch: "e",
      seq: 5,
      recovered: false,
      gap: false,
      ...data,
    });
  }

  /** A value that was given so many seconds ago. */
  value(secondsAgo: number, ageMs: number, { isStale = false } = {}): this {
    const error = isStale ? { error: {} } : {};
    return this.take("a", { data: { n: secondsAgo }, is_stale: isStale, age_ms: ageMs, ...error });
  }
}

Deno.test("FrameCheck finds a value called fresh and more than a second younger than it is", () => {
  assertEquals(new Bench().welcome().value(10, 9001).check.breaches, []);
  assertEquals(new Bench().welcome().value(10, 8999).check.breaches, [
    "a: value 10 is called fresh and 8999 ms old, but is 10000 ms old",
  ]);
  const { check } = new Bench().welcome().value(10, 0, { isStale: true });
  assertEquals([check.breaches, check.stale, check.fresh], [[], 1, 0]);
});

Deno.test("FrameCheck finds values never given, older ones after newer ones, and fresh ones after stale", () => {
  assertEquals(new Bench().welcome().value(-1, 0).check.breaches, ["a: value -1 was never given"]);
  assertEquals(new Bench().welcome().value(3, 3000).value(2, 2000).check.breaches, [
    "a: value 2 after 3",
  ]);
  assertEquals(
    new Bench().welcome().value(3, 3000, { isStale: true }).value(3, 3000).check.breaches,
    ["a: 3 fresh after it was stale"],
  );
});

Deno.test("FrameCheck finds what comes before the welcome, welcomes twice, and numbers that fall", () => {
  assertEquals(new Bench().value(1, 1000).check.breaches, ["the first frame is a a"]);
  assertEquals(new Bench().welcome().welcome().check.breaches, ["a second welcome"]);
  const bench = new Bench().welcome().take("heartbeat", {}, 7).take("rpc_error", {}, 6);
  assertEquals(bench.check.breaches, []);
  assertEquals(bench.take("error", {}, 6).check.breaches, ["errors: 6 after 6"]);
});

Deno.test("FrameCheck finds a notification that is missing without a gap", () => {
  const bench = new Bench().welcome().take("notification", { number: 3 }, 6);
  assertEquals(bench.take("notification", { number: 5 }, 7).check.breaches, [
    "notification 5 after 3, and no gap told",
  ]);
  const resume = bench.check.resumePoint;
  assertEquals(resume, { session: "s", epoch: "e", since: 7 });
  bench.check.open(resume);
  bench.welcome({ gap: true, seq: 20 }).take("notification", { number: 9 }, 21);
  assertEquals(bench.check.breachCount, 1);
  bench.check.open(bench.check.resumePoint);
  assertEquals(bench.welcome().check.breaches.at(-1), "resumed, but neither recovered nor a gap");
});

Deno.test("FrameCheck finds a recovery that names another epoch", () => {
  const bench = new Bench({ session: "s", epoch: "other", since: 2 });
  assertEquals(bench.welcome({ recovered: true }).check.breaches, ["recovered from another epoch"]);
});
