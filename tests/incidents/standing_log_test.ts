import { assertEquals } from "../support/assert.ts";
import { MAX_ENTRIES, StandingLog } from "../../src/incidents/standing_log.ts";

const DAY_MS = 86_400_000;
const logOf = () => new StandingLog({ keepForMs: 90 * DAY_MS });

Deno.test("StandingLog sums how a channel stood; what nobody knows is never fresh", () => {
  const log = logOf();
  log.add({ channel: "x", atMs: 10_000, standing: "fresh" });
  log.add({ channel: "x", atMs: 20_000, standing: "stale" });
  log.add({ channel: "x", atMs: 25_000, standing: "stale" }); // no change
  log.add({ channel: "x", atMs: 30_000, standing: "fresh" });
  log.addUnknown(40_000); // the hub goes off
  log.add({ channel: "x", atMs: 60_000, standing: "fresh" });
  assertEquals(log.uptime("x", { fromMs: 0, toMs: 70_000 }), {
    fresh_seconds: 30,
    stale_seconds: 10,
    unknown_seconds: 30,
    fresh_ratio: 0.75,
  });
  assertEquals(log.uptime("x", { fromMs: 15_000, toMs: 25_000 }), {
    fresh_seconds: 5,
    stale_seconds: 5,
    unknown_seconds: 0,
    fresh_ratio: 0.5,
  });
  assertEquals(log.uptime("never", { fromMs: 0, toMs: 1000 }).fresh_ratio, null);
});

Deno.test("StandingLog does not run backwards with a clock that is set back", () => {
  const log = logOf();
  log.add({ channel: "x", atMs: 50_000, standing: "fresh" });
  log.add({ channel: "x", atMs: 20_000, standing: "stale" });
  const { fresh_seconds, stale_seconds, unknown_seconds } = log.uptime("x", {
    fromMs: 0,
    toMs: 60_000,
  });
  assertEquals([fresh_seconds, stale_seconds, unknown_seconds], [0, 10, 50]);
});

Deno.test("StandingLog is bounded by number and by age, and keeps what the rest begins with", () => {
  const log = new StandingLog({ keepForMs: DAY_MS });
  for (let n = 0; n <= MAX_ENTRIES + 10; n++) {
    log.add({ channel: "x", atMs: n * 1000, standing: n % 2 ? "stale" : "fresh" });
  }
  assertEquals(log.all().length, MAX_ENTRIES);
  log.prune(DAY_MS * 3);
  assertEquals(log.all().length, 1); // it still stands like this
  log.addUnknown(DAY_MS * 3);
  log.prune(DAY_MS * 5);
  assertEquals([log.all().length, log.channels()], [0, []]);
});

Deno.test("StandingLog.uptimeSteps() tells the same in steps, which add up", () => {
  const log = logOf();
  log.add({ channel: "x", atMs: 10_000, standing: "fresh" });
  log.add({ channel: "x", atMs: 25_000, standing: "stale" });
  log.add({ channel: "x", atMs: 30_000, standing: "fresh" });
  log.addUnknown(40_000);
  const span = { fromMs: 0, toMs: 50_000 };
  const steps = log.uptimeSteps("x", { ...span, steps: 5 });
  assertEquals(steps, [[0, 0, 10], [10, 0, 0], [5, 5, 0], [10, 0, 0], [0, 0, 10]]);
  assertEquals(log.uptimeSteps("never", { ...span, steps: 2 }), [[0, 0, 25], [0, 0, 25]]);
  const late = log.uptimeSteps("x", { fromMs: 28_000, toMs: 32_000, steps: 2 });
  assertEquals(late, [[0, 2, 0], [2, 0, 0]]);
});
