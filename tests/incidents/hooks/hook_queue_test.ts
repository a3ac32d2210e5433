import { assertEquals } from "../../support/assert.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import type { CallEnd, HookRequest } from "../../../src/incidents/hooks/hook_call.ts";
import { HookQueue, MAX_WAITING, TRY_FOR_MS } from "../../../src/incidents/hooks/hook_queue.ts";

/** A queue whose hook answers as told. */
function queueOf(answer: (message: HookRequest) => CallEnd) {
  const clock = new FakeClock();
  const calls: { readonly at: number; readonly id: string; readonly body: string }[] = [];
  const removed: string[] = [];
  const queue = new HookQueue({
    hook: "ops",
    clock,
    call: (message) => {
      calls.push({ at: clock.now(), ...message });
      return Promise.resolve(answer(message));
    },
    onRemoved: ({ body }) => removed.push(body),
  });
  const stop = new AbortController();
  const running = queue.run(stop.signal);
  return {
    clock,
    calls,
    removed,
    queue,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

const FAILED: CallEnd = { ok: false, why: "HTTP 500" };

Deno.test("HookQueue tries again with growing waits, in order, under the same id", async () => {
  let isUp = false;
  await using bench = queueOf(() => isUp ? { ok: true } : FAILED);
  const { clock, calls, queue } = bench;
  queue.add("one");
  queue.add("two");
  await clock.advance(120_000);
  assertEquals(new Set(calls.map(({ body }) => body)), new Set(["one"]));
  assertEquals(new Set(calls.map(({ id }) => id)).size, 1);
  const waits = calls.slice(1).map(({ at }, n) => at - (calls[n]?.at ?? 0));
  assertEquals(waits.every((ms, n) => ms >= 4000 * 2 ** n && ms <= 6000 * 2 ** n), true);
  assertEquals([queue.report().waiting, queue.report().last_error], [2, "HTTP 500"]);
  isUp = true;
  await clock.advance(200_000);
  assertEquals(bench.removed, ["one", "two"]);
  assertEquals([queue.report().delivered, queue.report().last_error], [2, null]);
});

Deno.test("HookQueue drops what was tried for a day, and goes on with the next", async () => {
  await using bench = queueOf(({ body }) => body === "old" ? FAILED : { ok: true });
  bench.queue.add("old");
  await bench.clock.advance(TRY_FOR_MS - 7_200_000);
  bench.queue.add("new");
  await bench.clock.advance(4 * 3_600_000);
  assertEquals(bench.removed, ["old", "new"]);
  assertEquals([bench.queue.report().dropped, bench.queue.report().delivered], [1, 1]);
});

Deno.test("HookQueue is bounded: the oldest that is not under way goes", async () => {
  await using bench = queueOf(() => FAILED);
  for (let n = 0; n <= MAX_WAITING + 1; n++) bench.queue.add(String(n));
  assertEquals(bench.queue.report().waiting, MAX_WAITING);
  assertEquals(bench.removed, ["1", "2"]);
});
