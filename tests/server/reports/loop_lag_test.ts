import { LoopLag } from "../../../src/server/reports/loop_lag.ts";
import { systemClock } from "../../../src/resilience/clock.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { FakeClock } from "../../support/fake_clock.ts";

Deno.test("LoopLag() measures how late its timer is, and stops when told to", async () => {
  const clock = new FakeClock();
  const lag = new LoopLag(clock);
  const stop = new AbortController();
  const running = lag.run(stop.signal);
  await clock.advance(2000);
  const { cumulative, sum } = lag.histogram.value();
  assertEquals([cumulative[0], cumulative.at(-1), sum], [8, 8, 0], "always in time");

  await clock.jump(1250); // one look was due after 250 ms
  const late = lag.histogram.value();
  assertEquals(late.cumulative.at(-1), 9);
  assertEquals(late.sum, 1);
  stop.abort();
  await running;
  assertEquals(clock.sleeping, 0);
});

Deno.test("LoopLag() sees a loop that is really blocked", async () => {
  const lag = new LoopLag(systemClock);
  const stop = new AbortController();
  const running = lag.run(stop.signal);
  const end = performance.now() + 400;
  while (performance.now() < end); // nothing else can run meanwhile
  while (lag.histogram.value().cumulative.at(-1) === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  stop.abort();
  await running;
  assert(lag.histogram.value().sum >= 0.14, `${lag.histogram.value().sum} s`);
});
