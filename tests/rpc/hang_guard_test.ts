import { HangGuard } from "../../src/rpc/hang_guard.ts";
import { assertEquals, assertRejects, assertThrows } from "../support/assert.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";

const { signal } = new AbortController();

Deno.test("HangGuard.run() gives what work comes to", async () => {
  const clock = new FakeClock();
  const guard = new HangGuard({ clock, deadlineMs: 2000 });
  const done = await guard.run("a", () => Promise.resolve(1), { signal });
  assertEquals(done, { kind: "done", value: 1 });
  const error = new Error("no");
  const failed = await guard.run("a", () => Promise.reject(error), { signal });
  assertEquals(failed, { kind: "failed", error });
  assertEquals(clock.sleeping, 0);
});

Deno.test("HangGuard.run() begins no second work under a key while the first is out", async () => {
  const clock = new FakeClock();
  const guard = new HangGuard<string>({ clock, deadlineMs: 2000 });
  const slow = Promise.withResolvers<string>();
  let begun = 0;
  const work = () => {
    begun += 1;
    return slow.promise;
  };
  const first = guard.run("dead", work, { signal });
  await clock.advance(2000);
  assertEquals(await first, { kind: "stuck", forMs: 2000 });
  await clock.advance(3000);
  const second = guard.run("dead", work, { signal });
  await clock.advance(0); // it has waited long enough
  assertEquals(await second, { kind: "stuck", forMs: 5000 });
  assertEquals(begun, 1);
  const other = await guard.run("alive", () => Promise.resolve("yes"), { signal });
  assertEquals(other, { kind: "done", value: "yes" });

  slow.resolve("back");
  await settle();
  assertEquals(await guard.run("dead", work, { signal }), { kind: "done", value: "back" });
  assertEquals(begun, 2);
  assertEquals(clock.sleeping, 0);
});

Deno.test("HangGuard.run() lets who asks meanwhile share the work and its deadline", async () => {
  const clock = new FakeClock();
  const guard = new HangGuard<string>({ clock, deadlineMs: 2000 });
  const slow = Promise.withResolvers<string>();
  const never = () => Promise.reject(new Error("begun twice"));
  const first = guard.run("a", () => slow.promise, { signal });
  await clock.advance(1999);
  const second = guard.run("a", never, { signal });
  slow.resolve("yes");
  assertEquals(await first, { kind: "done", value: "yes" });
  assertEquals(await second, { kind: "done", value: "yes" });
  assertEquals(clock.sleeping, 0);
});

Deno.test("HangGuard.run() throws the signal's reason and leaves no timer", async () => {
  const clock = new FakeClock();
  const guard = new HangGuard({ clock, deadlineMs: 2000 });
  const abort = new AbortController();
  const running = guard.run("dead", () => new Promise(() => {}), { signal: abort.signal });
  const reason = new Error("enough");
  abort.abort(reason);
  assertEquals(await assertRejects(() => running), reason);
  assertEquals(clock.sleeping, 0);
  const late = guard.run("other", () => Promise.resolve(1), { signal: abort.signal });
  assertEquals(await assertRejects(() => late), reason);
});

Deno.test("HangGuard() throws if 'deadlineMs' is not a positive number", () => {
  for (const deadlineMs of [0, -1, NaN]) {
    assertThrows(() => new HangGuard({ clock: new FakeClock(), deadlineMs }), RangeError);
  }
});
