import { Arrivals } from "../../src/rpc/stream/arrivals.ts";
import { Newest } from "../../src/rpc/stream/newest.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";

Deno.test("Newest keeps the newest item, gives it before the end, and counts what it replaced", async () => {
  const { signal } = new AbortController();
  const newest = new Newest<number, string>();
  const first = newest.take(signal);
  newest.put(1);
  assertEquals(await first, { kind: "item", item: 1 });
  for (const each of [2, 3, 4]) newest.put(each);
  newest.end("over");
  newest.put(5);
  newest.end("over again");
  assertEquals(await newest.take(signal), { kind: "item", item: 4 });
  assertEquals(await newest.take(signal), { kind: "ended", how: "over" });
  assertEquals(newest.replaced, 2);
});

Deno.test("Newest.take() ends with its signal", async () => {
  const controller = new AbortController();
  const newest = new Newest<number, string>();
  const taken = newest.take(controller.signal);
  controller.abort(new Error("enough"));
  await assertRejects(() => taken, Error, "enough");
});

Deno.test("C43: Arrivals dates what is read after a standstill to before it, for a while", () => {
  let now = 1_000_000;
  using arrivals = new Arrivals(() => now);
  now += 900;
  assertEquals(arrivals.cameAtMs(), 1_000_900); // a delay, and no standstill
  now += 30_000;
  assertEquals(arrivals.cameAtMs(), 1_000_900);
  now += 500;
  assertEquals(arrivals.cameAtMs(), 1_000_900);
  now += 600;
  assertEquals(arrivals.cameAtMs(), now);
  now -= 5000; // set back: nothing is of the future
  assertEquals(arrivals.cameAtMs(), now);
});
