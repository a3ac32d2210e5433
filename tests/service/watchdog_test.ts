import { assert, assertEquals, assertLess, assertThrows } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { systemClock } from "../../src/resilience/clock.ts";
import { acceptCheck } from "../../src/service/accept_check.ts";
import { startWatchdog, type WatchdogCheck } from "../../src/service/watchdog.ts";
import { Watched } from "../support/until.ts";
import { Logged } from "./support.ts";

const EVERY_MS = 900;
/** A third of the pace. */
const TIMEOUT_MS = 300;

/** A watch on fake time; `fedAt` has the time of each feed. */
class Watch implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly fedAt: number[] = [];
  readonly #abort = new AbortController();
  readonly #watching: Promise<void>;

  constructor(checks: Record<string, WatchdogCheck>, clock = new FakeClock()) {
    this.clock = clock;
    this.#watching = startWatchdog({
      everyMs: EVERY_MS,
      checks,
      notify: { watchdog: () => this.fedAt.push(this.clock.now()) },
      clock,
      signal: this.#abort.signal,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#watching;
    assertEquals(this.clock.sleeping, 0);
  }
}

Deno.test("startWatchdog() feeds at once and then at its pace while all checks pass", async () => {
  await using watch = new Watch({ a: () => true, b: () => Promise.resolve(true) });
  await watch.clock.advance(2 * EVERY_MS);
  assertEquals(watch.fedAt, [0, EVERY_MS, 2 * EVERY_MS]);
});

Deno.test("startWatchdog() starves the watchdog while one check fails, and logs which", async () => {
  await using logged = Logged.start();
  let isAlive = true;
  await using watch = new Watch({ heartbeat: () => isAlive, accept: () => true });
  await watch.clock.advance(0);
  isAlive = false;
  await watch.clock.advance(3 * EVERY_MS);
  assertEquals(watch.fedAt, [0]);
  const [line, ...more] = logged.lines;
  assertEquals(
    [line?.event, line?.level, line?.check, line?.why, more],
    ["watchdog.check_failed", "error", "heartbeat", "it is not alive", []],
  );
  isAlive = true;
  await watch.clock.advance(EVERY_MS);
  assertEquals(watch.fedAt, [0, 4 * EVERY_MS]);
  const [passed] = logged.of("watchdog.check_passed");
  assertEquals([passed?.check, passed?.failed_for_ms], ["heartbeat", 3 * EVERY_MS]);
});

Deno.test("startWatchdog() takes an exception for a no, with its reason", async () => {
  await using logged = Logged.start();
  await using watch = new Watch({
    sync: () => {
      throw new Error("broken");
    },
    async: () => Promise.reject(new Error("/healthz answered 500")),
  });
  await watch.clock.advance(EVERY_MS);
  assertEquals(watch.fedAt, []);
  assertEquals(logged.lines.map(({ check, why }) => [check, why]), [
    ["sync", "broken"],
    ["async", "/healthz answered 500"],
  ]);
});

Deno.test("startWatchdog() gives up on a check that hangs, and asks it no second time", async () => {
  await using logged = Logged.start();
  const signals: AbortSignal[] = [];
  const { promise: answer, resolve } = Promise.withResolvers<boolean>();
  await using watch = new Watch({
    accept: (signal) => {
      signals.push(signal);
      return signals.length === 1 ? answer : true;
    },
  });
  await watch.clock.advance(TIMEOUT_MS - 1);
  assertEquals([logged.lines.length, signals[0]?.aborted], [0, false]);
  await watch.clock.advance(1);
  assertEquals(logged.lines.map(({ why }) => why), [`no answer within ${TIMEOUT_MS} ms`]);
  assertEquals(signals[0]?.aborted, true);
  await watch.clock.advance(2 * EVERY_MS);
  assertEquals([signals.length, watch.fedAt], [1, []]);
  resolve(true);
  await watch.clock.advance(EVERY_MS);
  assertEquals([signals.length, watch.fedAt], [2, [3 * EVERY_MS]]);
});

Deno.test("startWatchdog() feeds twice within an interval however slow its checks are", async () => {
  let rounds = 0;
  const clock = new FakeClock();
  await using watch = new Watch({
    slow: async (signal) => {
      if (rounds++ % 2 === 1) await clock.sleep(TIMEOUT_MS - 1, { signal });
      return true;
    },
  }, clock);
  await clock.advance(21 * EVERY_MS - 1);
  const gaps = watch.fedAt.slice(1).map((at, i) => at - (watch.fedAt[i] ?? 0));
  assertEquals(gaps.length, 20);
  assertLess(Math.max(...gaps), 3 * EVERY_MS / 2);
});

Deno.test("startWatchdog() says that the event loop stood still, and feeds but once", async () => {
  await using logged = Logged.start();
  await using watch = new Watch({ all: () => true });
  await watch.clock.advance(0);
  await watch.clock.jump(5 * EVERY_MS + 1);
  assertEquals(watch.fedAt, [0, 5 * EVERY_MS + 1]);
  assertEquals(logged.of("watchdog.late").map(({ skipped }) => skipped), [4]);
});

Deno.test("startWatchdog() ends with its signal, in the middle of a check too", async () => {
  const abort = new AbortController();
  const clock = new FakeClock();
  await using logged = Logged.start();
  const signals: AbortSignal[] = [];
  const fed: number[] = [];
  const watching = startWatchdog({
    everyMs: EVERY_MS,
    checks: {
      accept: (signal) => {
        signals.push(signal);
        return new Promise(() => {});
      },
    },
    notify: { watchdog: () => fed.push(clock.now()) },
    clock,
    signal: abort.signal,
  });
  await clock.advance(1);
  abort.abort();
  await watching;
  assert(signals[0]?.aborted);
  assertEquals([clock.sleeping, fed, logged.lines], [0, [], []]);
});

Deno.test("startWatchdog() throws if 'everyMs' is not positive", () => {
  const { signal } = new AbortController();
  const notify = { watchdog: () => {} };
  assertThrows(
    () => startWatchdog({ everyMs: 0, checks: {}, notify, clock: new FakeClock(), signal }),
    RangeError,
    "'everyMs'",
  );
});

Deno.test("startWatchdog() starves the watchdog of a hub whose way in hangs", async () => {
  await using logged = Logged.start();
  const gate = { isShut: false, open: Promise.withResolvers<void>() };
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async () => {
    if (gate.isShut) await gate.open.promise;
    return new Response("ok");
  });
  const watched = new Watched();
  let feeds = 0;
  const abort = new AbortController();
  const watching = startWatchdog({
    everyMs: 300,
    checks: { accept: acceptCheck(() => `http://127.0.0.1:${server.addr.port}`) },
    notify: {
      watchdog: () => {
        feeds++;
        watched.changed();
      },
    },
    clock: systemClock,
    signal: abort.signal,
  });
  const fedAgain = async () => {
    const before = feeds;
    await watched.until(() => feeds > before || undefined, { explain: () => "it was not fed" });
  };
  await fedAgain();
  gate.isShut = true;
  const { check, why } = await logged.waitFor("watchdog.check_failed");
  assertEquals([check, why], ["accept", "no answer within 100 ms"]);
  gate.isShut = false;
  gate.open.resolve();
  await fedAgain();
  abort.abort();
  await watching;
});
