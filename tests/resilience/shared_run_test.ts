import { SharedRun } from "../../src/resilience/shared_run.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";

Deno.test("SharedRun.run() runs once at a time, and once for all who ask meanwhile", async () => {
  const runs: PromiseWithResolvers<void>[] = [];
  const shared = new SharedRun(() => {
    const run = Promise.withResolvers<void>();
    runs.push(run);
    return run.promise;
  });
  const turn = () => new Promise((resolve) => setTimeout(resolve));
  const over: string[] = [];
  const ask = (who: string) => shared.run().then(() => over.push(who));
  const first = ask("first");
  await turn();
  assertEquals(runs.length, 1);
  const later = [ask("second"), ask("third")];
  await turn();
  assertEquals([runs.length, over], [1, []]);
  runs[0]?.resolve();
  await first;
  await turn();
  assertEquals([runs.length, over], [2, ["first"]], "what is under way does not count");
  runs[1]?.resolve();
  await Promise.all(later);
  assertEquals(over, ["first", "second", "third"]);
});

Deno.test("SharedRun.run() rejects as its run does, and runs again", async () => {
  let nth = 0;
  const shared = new SharedRun(() => nth++ ? Promise.resolve() : Promise.reject(new Error("no")));
  await assertRejects(() => shared.run(), Error, "no");
  await shared.run();
  assertEquals(nth, 2);
});
