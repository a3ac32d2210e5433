import { UncaughtErrors } from "../../src/service/uncaught_errors.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { type Line, Logged } from "./support.ts";

const MINUTE_MS = 60_000;

/** UncaughtErrors of a test's own, on fake time. */
class Bench implements Disposable {
  readonly clock = new FakeClock();
  readonly target = new EventTarget();
  readonly uncaughtErrors = new UncaughtErrors({ clock: this.clock, target: this.target });

  /** Tells of a rejection as the runtime does; whether it was held back. */
  reject(reason: unknown): boolean {
    const promise = Promise.reject(reason);
    promise.catch(() => {}); // not the test's own
    return !this.target.dispatchEvent(
      new PromiseRejectionEvent("unhandledrejection", { promise, reason, cancelable: true }),
    );
  }

  /** The same for an exception. */
  throw(error: unknown): boolean {
    return !this.target.dispatchEvent(new ErrorEvent("error", { error, cancelable: true }));
  }

  [Symbol.dispose](): void {
    this.uncaughtErrors[Symbol.dispose]();
  }
}

/** An error that comes from a place of its choice. */
function errorFrom(place: string, message = "broken"): Error {
  const error = new Error(message);
  error.stack = `Error: ${message}\n    at ${place} (file:///hub/main.ts:1:1)`;
  return error;
}

function told({ kind, why, stack, times, duration_ms }: Line): unknown[] {
  return [kind, why, stack, times, duration_ms];
}

Deno.test("UncaughtErrors holds back and logs what nobody caught, with how it came and where from", async () => {
  await using logged = Logged.start();
  using bench = new Bench();
  const cause = new TypeError("fetch failed");
  const error = errorFrom("poll", "broken");
  error.cause = cause;
  assertEquals([bench.reject(error), bench.throw("a text")], [true, true]);
  assertEquals(bench.uncaughtErrors.count, 2);
  assertEquals(logged.lines.map(({ event, level }) => `${event} ${level}`), [
    "process.mishap error",
    "process.mishap error",
  ]);
  const stack = ["at poll (file:///hub/main.ts:1:1)"];
  assertEquals(logged.lines.map(told), [
    ["rejection", "Error: broken; because of TypeError: fetch failed", stack, undefined, undefined],
    ["error", "a text", undefined, undefined, undefined],
  ]);
});

Deno.test("UncaughtErrors logs what comes again at level debug, reminds of it, and counts it", async () => {
  await using logged = Logged.start("debug");
  using bench = new Bench();
  for (let minute = 0; minute <= 20; minute++) {
    bench.reject(errorFrom("poll", `call ${minute} broke`));
    await bench.clock.advance(MINUTE_MS);
  }
  assertEquals(bench.uncaughtErrors.count, 21);
  assertEquals(
    logged.of("process.mishap").map(({ why, times, duration_ms }) => [why, times, duration_ms]),
    [
      ["Error: call 0 broke", undefined, undefined],
      ["Error: call 5 broke", 6, 5 * MINUTE_MS],
      ["Error: call 15 broke", 16, 15 * MINUTE_MS],
    ],
  );
  const again = logged.of("process.mishap_again");
  assertEquals([again.length, again[0]?.why, again[0]?.times], [18, "Error: call 1 broke", 2]);
  assertEquals(new Set(again.map(({ level }) => level)), new Set(["debug"]));
});

Deno.test("UncaughtErrors tells apart by place and by how they came, and by words where there is no place", async () => {
  await using logged = Logged.start();
  using bench = new Bench();
  const reasons = [errorFrom("a"), errorFrom("b"), "stream 1 broke", "stream 2 broke", "gone"];
  for (const reason of [...reasons, ...reasons]) bench.reject(reason);
  bench.throw(reasons[0]);
  assertEquals(logged.lines.map(({ kind, why }) => [kind, why]), [
    ["rejection", "Error: broken"],
    ["rejection", "Error: broken"],
    ["rejection", "stream 1 broke"],
    ["rejection", "gone"],
    ["error", "Error: broken"],
  ]);
  assertEquals(bench.uncaughtErrors.count, 11);
});

Deno.test("UncaughtErrors remembers a bounded number, and has room again for new ones after an hour", async () => {
  await using logged = Logged.start();
  using bench = new Bench();
  for (let at = 0; at < 1000; at++) bench.reject(errorFrom(`place${at}`));
  assertEquals(bench.uncaughtErrors.count, 1000);
  assertEquals(logged.lines.length, 33, "32 of their own, and the first of all the others");
  bench.reject(errorFrom("place31"));
  assertEquals(logged.lines.length, 33, "it is still known");
  await bench.clock.advance(61 * MINUTE_MS);
  for (const place of ["place500", "place501", "place500"]) bench.reject(errorFrom(place));
  const places = logged.lines.slice(33).map(({ stack, times }) => [stack, times]);
  assertEquals(places, [
    [["at place500 (file:///hub/main.ts:1:1)"], undefined],
    [["at place501 (file:///hub/main.ts:1:1)"], undefined],
  ]);
});

Deno.test("UncaughtErrors leaves alone what somebody else has dealt with", async () => {
  await using logged = Logged.start("debug");
  const target = new EventTarget();
  target.addEventListener("unhandledrejection", (event) => event.preventDefault());
  using uncaughtErrors = new UncaughtErrors({ target });
  const promise = Promise.resolve();
  target.dispatchEvent(
    new PromiseRejectionEvent("unhandledrejection", { promise, reason: "known", cancelable: true }),
  );
  assertEquals([uncaughtErrors.count, logged.lines], [0, []]);
});

Deno.test("UncaughtErrors holds back nothing any more once disposed of", async () => {
  await using logged = Logged.start("debug");
  const bench = new Bench();
  bench[Symbol.dispose]();
  bench[Symbol.dispose]();
  assertEquals([bench.reject(errorFrom("a")), bench.throw(errorFrom("a"))], [false, false]);
  assertEquals([bench.uncaughtErrors.count, logged.lines], [0, []]);
});

/** Runs the program in a process of its own, as what nobody catches ends it. */
async function suffer(how: "guarded" | "unguarded" | "before") {
  const { pathname } = new URL("suffer_uncaught_errors.ts", import.meta.url);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-net=127.0.0.1", pathname, how],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("UncaughtErrors keeps a process alive through a rejection, an exception and a socket's error", async () => {
  const { code, stdout, stderr } = await suffer("guarded");
  assertEquals([code, stdout], [0, "3"], stderr);
  const lines: Line[] = stderr.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ event, kind }) => [event, kind]), [
    ["process.mishap", "rejection"],
    ["process.mishap", "error"],
    ["process.mishap", "error"],
  ]);
  const [rejection, exception, socket] = lines.map(({ why }) => String(why));
  assertEquals(rejection, "Error: a promise of nobody");
  assertEquals(exception, "TypeError: a callback of nobody");
  assertMatch(socket ?? "", /ECONNREFUSED/);
  assert(lines.every(({ stack }) => Array.isArray(stack) && stack.length > 0), stderr);
});

Deno.test("without UncaughtErrors, or after it, the same process ends at the first of them", async () => {
  for (const how of ["unguarded", "before"] as const) {
    const { code, stdout, stderr } = await suffer(how);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /Uncaught \(in promise\) Error: a promise of nobody/);
  }
});
