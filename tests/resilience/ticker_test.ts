import type { Clock } from "../../src/resilience/clock.ts";
import { Ticker } from "../../src/resilience/ticker.ts";
import { assertEquals, assertRejects, assertThrows } from "../support/assert.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";

/** Runs a ticker in the background and notes when it ticks. */
function run(clock: FakeClock, everyMs: number, options: {
  firstAfterMs?: number;
  secondAfterMs?: number;
  inStep?: boolean;
  body?: (tick: number) => Promise<void> | void;
} = {}) {
  const controller = new AbortController();
  const { body = () => {}, ...rest } = options;
  const ticker = new Ticker(everyMs, { clock, signal: controller.signal, ...rest });
  const ticks: [at: number, skipped: number][] = [];
  const done = (async () => {
    for await (const { skipped } of ticker) {
      ticks.push([clock.now(), skipped]);
      await body(ticks.length);
    }
  })();
  return { ticker, ticks, done, controller };
}

Deno.test("Ticker() ticks at once and then on its grid", async () => {
  const clock = new FakeClock();
  const { ticks, controller, done } = run(clock, 100);
  await clock.advance(350);
  assertEquals(ticks, [[0, 0], [100, 0], [200, 0], [300, 0]]);
  controller.abort();
  await done;
});

Deno.test("C20: Ticker() begins its grid where it is told to", async () => {
  const clock = new FakeClock();
  const { ticks, controller, done } = run(clock, 100, { secondAfterMs: 30 });
  await clock.advance(240);
  assertEquals(ticks, [[0, 0], [30, 0], [130, 0], [230, 0]]);
  controller.abort();
  await done;
});

Deno.test("Ticker() ticks together with others of its pace, whenever it began", async () => {
  const clock = new FakeClock();
  await clock.advance(30);
  const early = run(clock, 100, { inStep: true });
  await clock.advance(90);
  const late = run(clock, 100, { inStep: true });
  await clock.advance(190);
  assertEquals(early.ticks.map(([at]) => at), [30, 100, 200, 300]);
  assertEquals(late.ticks.map(([at]) => at), [120, 200, 300]);
  for (const { controller, done } of [early, late]) {
    controller.abort();
    await done;
  }
});

Deno.test("Ticker() waits for its first tick when told to", async () => {
  const clock = new FakeClock();
  const { ticks, controller, done } = run(clock, 100, { firstAfterMs: 40 });
  await clock.advance(39);
  assertEquals(ticks, []);
  await clock.advance(201);
  assertEquals(ticks, [[40, 0], [140, 0], [240, 0]]);
  controller.abort();
  await done;
});

Deno.test("Ticker() skips the ticks a slow body missed, says how many, and keeps the grid", async () => {
  const clock = new FakeClock();
  const body = (tick: number) => tick === 2 ? clock.sleep(250) : undefined;
  const { ticks, controller, done } = run(clock, 100, { body });
  await clock.advance(500);
  // The body of the tick at 100 ends at 350: the ticks of 200 and 300 are due, one makes up for both.
  assertEquals(ticks, [[0, 0], [100, 0], [350, 1], [400, 0], [500, 0]]);
  controller.abort();
  await done;
});

Deno.test("Ticker() makes up for nothing after the process stood still", async () => {
  const clock = new FakeClock();
  const { ticks, controller, done } = run(clock, 100);
  await clock.advance(100);
  await clock.jump(1050);
  await clock.advance(60);
  assertEquals(ticks, [[0, 0], [100, 0], [1150, 9], [1200, 0]]);
  controller.abort();
  await done;
});

Deno.test("Ticker() does not tick twice when a timer wakes it a fraction too early", async () => {
  const inner = new FakeClock();
  const hasty: Clock = {
    now: () => inner.now(),
    unixMs: () => inner.unixMs(),
    unixSeconds: () => inner.unixSeconds(),
    sleep: (ms, options) => inner.sleep(ms > 1 ? ms - 0.5 : ms, options),
  };
  const controller = new AbortController();
  const ticks: number[] = [];
  const done = (async () => {
    for await (const _ of new Ticker(100, { clock: hasty, signal: controller.signal })) {
      ticks.push(inner.now());
    }
  })();
  await inner.advance(300);
  assertEquals(ticks, [0, 100, 200, 300]);
  controller.abort();
  await done;
});

Deno.test("Ticker.kick() during the wait ticks now, once, without moving the grid", async () => {
  const clock = new FakeClock();
  const { ticker, ticks, controller, done } = run(clock, 100);
  await clock.advance(30);
  ticker.kick();
  ticker.kick();
  await settle();
  assertEquals(ticks, [[0, 0], [30, 0]]);
  await clock.advance(100);
  assertEquals(ticks, [[0, 0], [30, 0], [100, 0]]);
  controller.abort();
  await done;
});

Deno.test("Ticker.kick() during the body waits for it; several kicks are one", async () => {
  const clock = new FakeClock();
  const body = (tick: number) => tick === 1 ? clock.sleep(50) : undefined;
  const { ticker, ticks, controller, done } = run(clock, 100, { body });
  await clock.advance(10);
  for (let kick = 0; kick < 3; kick++) ticker.kick();
  await clock.advance(30);
  assertEquals(ticks, [[0, 0]]);
  await clock.advance(110);
  assertEquals(ticks, [[0, 0], [50, 0], [100, 0]]);
  controller.abort();
  await done;
});

Deno.test("Ticker.kick() that meets a due tick is that tick", async () => {
  const clock = new FakeClock();
  const body = (tick: number) => tick === 1 ? clock.sleep(150) : undefined;
  const { ticker, ticks, controller, done } = run(clock, 100, { body });
  await clock.advance(10);
  ticker.kick();
  await clock.advance(195);
  assertEquals(ticks, [[0, 0], [150, 0], [200, 0]]);
  controller.abort();
  await done;
});

Deno.test("Ticker.kick() before the first tick brings it at once", async () => {
  const clock = new FakeClock();
  const { ticker, ticks, controller, done } = run(clock, 100, { firstAfterMs: 100 });
  ticker.kick();
  await clock.advance(100);
  assertEquals(ticks, [[0, 0], [100, 0]]);
  controller.abort();
  await done;
});

Deno.test("Ticker() ends quietly when aborted in the middle of a wait, and leaves nothing", async () => {
  const clock = new FakeClock();
  const { ticks, controller, done } = run(clock, 100);
  await clock.advance(150);
  assertEquals(clock.sleeping, 1);
  controller.abort(new Error("a reason that is nobody's business"));
  await done;
  assertEquals(ticks.length, 2);
  assertEquals(clock.sleeping, 0);
});

Deno.test("Ticker() ends after the body under way when aborted meanwhile", async () => {
  const clock = new FakeClock();
  const { ticker, ticks, controller, done } = run(clock, 100, { body: () => clock.sleep(10) });
  await settle();
  ticker.kick();
  controller.abort();
  await clock.advance(10);
  await done;
  assertEquals(ticks, [[0, 0]]);
});

Deno.test("Ticker() does not tick at all under a signal aborted before", async () => {
  const ticker = new Ticker(1, { clock: new FakeClock(), signal: AbortSignal.abort() });
  for await (const _ of ticker) throw new Error("it ticked");
});

Deno.test("Ticker() holds one listener on its signal while it waits and none afterwards", async () => {
  const clock = new FakeClock();
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  signal.addEventListener = function (...args: Parameters<typeof addEventListener>) {
    listeners += 1;
    return addEventListener.apply(signal, args);
  };
  signal.removeEventListener = function (...args: Parameters<typeof removeEventListener>) {
    listeners -= 1;
    return removeEventListener.apply(signal, args);
  };
  const ticker = new Ticker(100, { clock, signal });
  let ticks = 0;
  const done = (async () => {
    for await (const _ of ticker) if (++ticks === 20) break;
  })();
  for (let at = 0; at < 10; at++) {
    await clock.advance(100);
    ticker.kick();
    await settle();
    if (ticks < 20) assertEquals(listeners, 1);
  }
  await clock.advance(200);
  await done;
  assertEquals(listeners, 0);
  assertEquals(clock.sleeping, 0);
});

Deno.test("Ticker() passes on what the clock throws on its own account", async () => {
  const clock: Clock = {
    now: () => 0,
    unixMs: () => 0,
    unixSeconds: () => 0,
    sleep: () => Promise.reject(new Error("the clock broke")),
  };
  const ticker = new Ticker(1, { clock, signal: new AbortController().signal, firstAfterMs: 1 });
  await assertRejects(() => ticker[Symbol.asyncIterator]().next(), Error, "the clock broke");
});

Deno.test("Ticker() refuses a period that is not a positive number", () => {
  const options = { clock: new FakeClock(), signal: new AbortController().signal };
  for (const everyMs of [0, -1, NaN]) {
    assertThrows(
      () => new Ticker(everyMs, options),
      RangeError,
      `'everyMs' must be a positive number: current value is ${everyMs}`,
    );
  }
});
