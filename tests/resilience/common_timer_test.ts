import { CommonTimer, WAKE_EVERY_MS } from "../../src/resilience/common_timer.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";

Deno.test("CommonTimer wakes nobody too soon, and those that are due together in one turn", async () => {
  const timer = new CommonTimer();
  const begun = performance.now();
  const turns: number[] = [];
  let turn = 0;
  const counting = setInterval(() => turn += 1, 0);
  await Promise.all([1, 5, 10, 100].map(async (ms) => {
    await timer.sleep(ms);
    assert(performance.now() - begun >= ms, `${ms}`);
    turns.push(turn);
  }));
  clearInterval(counting);
  assertEquals(turns.slice(0, 3), new Array(3).fill(turns[0]));
  assert((turns[3] ?? 0) > (turns[2] ?? 0));
});

Deno.test("CommonTimer lets whoever is woken sleep again, and keeps no timer of the runtime when all are aborted", async () => {
  const timer = new CommonTimer();
  const stop = new AbortController();
  let wakes = 0;
  const done = Promise.withResolvers<void>();
  const loop = (async () => {
    for (;;) {
      await timer.sleep(WAKE_EVERY_MS / 2, stop.signal);
      wakes += 1;
      if (wakes === 3) done.resolve();
    }
  })();
  await done.promise;
  stop.abort(new Error("enough"));
  await assertRejects(() => loop, Error, "enough");
  await assertRejects(() => timer.sleep(1, stop.signal), Error, "enough");
});
