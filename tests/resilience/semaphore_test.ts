import { Semaphore } from "../../src/resilience/semaphore.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../support/assert.ts";

const { signal } = new AbortController();

Deno.test("Semaphore() lets so many in, the others in the order in which they came", async () => {
  const semaphore = new Semaphore({ permits: 2, maxWaiting: 10 });
  const entered: string[] = [];
  const enter = async (name: string) => {
    const slot = await semaphore.acquire({ signal });
    entered.push(name);
    return slot;
  };
  const [a, b, c, d] = ["a", "b", "c", "d"].map(enter);
  const first = await a;
  await b;
  assertEquals(entered, ["a", "b"]);
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose](); // twice is once
  await c;
  assertEquals([entered, semaphore.waiting], [["a", "b", "c"], 1]);
  (await b)?.[Symbol.dispose]();
  await d;
  assertEquals(entered, ["a", "b", "c", "d"]);
});

Deno.test("Semaphore() turns away who would make too many wait", async () => {
  const semaphore = new Semaphore({ permits: 1, maxWaiting: 1 });
  const first = await semaphore.acquire({ signal });
  const second = semaphore.acquire({ signal });
  assertEquals(await semaphore.acquire({ signal }), undefined);
  first?.[Symbol.dispose]();
  assert(await second !== undefined);
});

Deno.test("Semaphore() forgets who gave up", async () => {
  const semaphore = new Semaphore({ permits: 1, maxWaiting: 9 });
  const first = await semaphore.acquire({ signal });
  const stop = new AbortController();
  const given = semaphore.acquire({ signal: stop.signal });
  const third = semaphore.acquire({ signal });
  stop.abort(new Error("enough"));
  await assertRejects(() => given, Error, "enough");
  await assertRejects(() => semaphore.acquire({ signal: stop.signal }), Error, "enough");
  first?.[Symbol.dispose]();
  assert(await third !== undefined);
  assertEquals(semaphore.waiting, 0);
});

Deno.test("Semaphore() refuses options out of range", () => {
  assertThrows(() => new Semaphore({ permits: 0, maxWaiting: 1 }), RangeError, "'permits'");
});
