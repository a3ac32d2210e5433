import { LinkedAbort } from "../../src/resilience/linked_abort.ts";
import { onAbort } from "../../src/resilience/on_abort.ts";
import { withDeadline } from "../../src/resilience/with_deadline.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** A signal that counts who listens. */
function counted() {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners += 1;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners -= 1;
    removeEventListener.apply(signal, args);
  };
  return { controller, signal, listeners: () => listeners };
}

Deno.test("withDeadline() gives what was done in time, and leaves nothing behind", async () => {
  const clock = new FakeClock();
  const { signal, listeners } = counted();
  const done = await withDeadline(clock, 1000, () => Promise.resolve(7), { signal });
  assertEquals(done, { isLate: false, value: 7 });
  await clock.advance(0);
  assertEquals([clock.sleeping, listeners()], [0, 0]);
});

Deno.test("withDeadline() waits no longer than it may, and aborts what is under way", async () => {
  const clock = new FakeClock();
  let reason: unknown;
  const waiting = withDeadline(clock, 1000, (signal) =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        reason = signal.reason;
        reject(new Error("nobody's"));
      });
    }));
  await clock.advance(1000);
  assertEquals(await waiting, { isLate: true });
  assertEquals((reason as DOMException).name, "TimeoutError");
  assertEquals(clock.sleeping, 0);
});

Deno.test("withDeadline() throws what the work throws, and the signal's reason at once", async () => {
  const clock = new FakeClock();
  const { controller, signal, listeners } = counted();
  const broken = () => Promise.reject(new Error("broken"));
  await assertRejects(() => withDeadline(clock, 1000, broken, { signal }), Error, "broken");
  const waiting = withDeadline(clock, 1000, () => new Promise(() => {}), { signal });
  controller.abort(new Error("enough"));
  await assertRejects(() => waiting, Error, "enough");
  await assertRejects(() => withDeadline(clock, 1, broken, { signal }), Error, "enough");
  await clock.advance(0);
  assertEquals([clock.sleeping, listeners()], [0, 0]);
});

Deno.test("LinkedAbort is aborted with any of its parents or alone, and lets go of them", () => {
  const [one, two] = [counted(), counted()];
  const first = new LinkedAbort([one.signal, undefined, two.signal]);
  two.controller.abort("two");
  assertEquals([first.signal.aborted, first.signal.reason], [true, "two"]);
  first[Symbol.dispose]();
  assertEquals(one.listeners(), 0);
  using alone = new LinkedAbort([one.signal]);
  alone.abort("alone");
  assertEquals([alone.signal.reason, one.signal.aborted], ["alone", false]);
  using late = new LinkedAbort([two.signal]);
  assertEquals(late.signal.aborted, true, "it was aborted before");
});

Deno.test("onAbort() calls back once, at once if need be, and not at all once disposed of", () => {
  const heard: string[] = [];
  const { controller, signal } = counted();
  const gone = onAbort(signal, () => heard.push("gone"));
  gone[Symbol.dispose]();
  using _kept = onAbort(signal, () => heard.push("kept"));
  using _none = onAbort(undefined, () => heard.push("never"));
  controller.abort();
  using _late = onAbort(signal, () => heard.push("at once"));
  assertEquals(heard, ["kept", "at once"]);
});
