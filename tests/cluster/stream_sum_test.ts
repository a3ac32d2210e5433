import { MAX_SUMMED, StreamSum, sumOf } from "../../src/cluster/stream_sum.ts";
import { assert, assertEquals } from "../support/assert.ts";

function read(entries: readonly string[], from = 1): StreamSum {
  const sum = new StreamSum();
  entries.forEach((text, at) => sum.add(from + at, text));
  return sum;
}

Deno.test("C61: StreamSum finds an entry that is another, or at another place, in what two have read", () => {
  const part = read(["a", "b", "c", "d"]).since(2);
  assertEquals([part?.from, part?.to], [2, 4]);
  assert(part);
  assertEquals(read(["x", "b", "c", "d", "e"]).agrees(part), true, "of that part the same");
  assertEquals(read(["a", "b", "x", "d"]).agrees(part), false);
  assertEquals(read(["a", "c", "b", "d"]).agrees(part), false, "in another order");
  assertEquals(read(["a", "b", "c"]).agrees(part), undefined, "not read so far");
  assertEquals(read(["c", "d"], 3).agrees(part), undefined, "came later");
});

Deno.test("C61: StreamSum begins anew behind a hole, and remembers so much", () => {
  const sum = read(["a", "b"]);
  sum.add(5, "e");
  sum.add(6, "f");
  assertEquals([sum.since(1)?.from, sum.since(1)?.to], [5, 6]);
  const whole = new StreamSum();
  for (let seq = 1; seq <= 3 * MAX_SUMMED; seq++) whole.add(seq, `${seq}`);
  const part = whole.since(1);
  assert(part && part.to - part.from > MAX_SUMMED - 3);
  const late = new StreamSum();
  for (let seq = part.from; seq <= part.to; seq++) late.add(seq, `${seq}`);
  assertEquals(late.agrees(part), true);
});

Deno.test("C61: StreamSum misses what was acknowledged and does not stand there, whichever came first", () => {
  const sum = read(["a"]);
  assertEquals(sum.expect(1, "a"), true, "read before it was acknowledged");
  assertEquals(sum.expect(1, "x"), false);
  assertEquals(sum.expect(2, "b"), true);
  assertEquals(sum.add(2, "b"), true);
  sum.expect(3, "c");
  assertEquals(sum.add(3, "x"), false, "another stands there");
  sum.expect(4, "d");
  assertEquals(sum.add(5, "e"), false, "nothing does");
  assertEquals(sum.add(6, "f"), true);
});

Deno.test("C61: StreamSum.goBackTo() has what is read again take the place of what was read", () => {
  const sum = read(["a", "b", "c"]);
  assertEquals([sum.at(3), sum.at(4), sum.last], [sumOf(3, "c"), undefined, 3]);
  sum.goBackTo(2);
  assertEquals([sum.at(2), sum.at(3), sum.last], [sumOf(2, "b"), undefined, 2]);
  sum.add(3, "x");
  assertEquals([sum.at(3), sum.since(1)], [sumOf(3, "x"), read(["a", "b", "x"]).since(1)]);
  sum.goBackTo(9);
  assertEquals(sum.last, 3);
});
