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

Deno.test("C43: Arrivals dates what is read after a standstill to before it, until all that lay there was read", () => {
  let now = 1_000_000;
  using arrivals = new Arrivals(() => now);
  const look = (afterMs: number) => {
    now += afterMs;
    arrivals.look();
  };
  now += 900;
  assertEquals(arrivals.cameAtMs(), 1_000_900); // a delay, and no standstill
  now += 30_000;
  for (const afterMs of [0, 500, 200, 200, 200, 200]) {
    look(afterMs);
    assertEquals(arrivals.cameAtMs(), 1_000_900);
  }
  for (const afterMs of [200, 200]) look(afterMs); // nothing came between these
  assertEquals(arrivals.cameAtMs(), now);
});

Deno.test("C43: Arrivals dates a stream that is never quiet to before the standstill for 5 s", () => {
  let now = 0;
  using arrivals = new Arrivals(() => now);
  now += 4000;
  for (let forMs = 0; forMs < 5000; forMs += 50) {
    assertEquals(arrivals.cameAtMs(), 0, `${forMs}`);
    now += 50;
    if (forMs % 200 === 0) arrivals.look();
  }
  assertEquals(arrivals.cameAtMs(), now);
  now += 2000; // twice in a row: of before the first
  arrivals.cameAtMs();
  now += 2000;
  assertEquals(arrivals.cameAtMs(), 9000);
  now -= 9000; // set back: nothing is of the future
  assertEquals(arrivals.cameAtMs(), now);
});
