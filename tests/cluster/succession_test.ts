import { Succession } from "../../src/cluster/succession.ts";
import { assertEquals } from "../support/assert.ts";

/** Numbers of the entries that count, of pairs of a number and the one it was written over. */
function counted(succession: Succession, ...entries: [seq: number, after: number][]): number[] {
  return entries.filter(([seq, after]) => succession.counts(seq, after)).map(([seq]) => seq);
}

Deno.test("Succession.counts() takes an unbroken line as it is", () => {
  const succession = new Succession();
  succession.restart(1);
  assertEquals(counted(succession, [1, 0], [2, 1], [5, 2], [6, 5]), [1, 2, 5, 6]);
  assertEquals(succession.last, 6);
});

Deno.test("Succession.counts() lets of two words written over the same one the first stand, and its line", () => {
  const succession = new Succession();
  succession.restart(1);
  const entries: [number, number][] = [[1, 0], [2, 1], [3, 2], [4, 2], [5, 4], [6, 3], [7, 5], [
    8,
    6,
  ]];
  assertEquals(counted(succession, ...entries), [1, 2, 3, 6, 8]);
});

Deno.test("Succession.counts() finds the line that goes on, wherever reading begins", () => {
  const entries: [number, number][] = [[1, 0], [2, 1], [3, 2], [4, 2], [6, 3], [8, 6], [9, 8]];
  for (const [from] of entries) {
    const succession = new Succession();
    succession.restart(from);
    const own = counted(succession, ...entries.filter(([seq]) => seq >= from));
    assertEquals(
      own.filter((seq) => seq > 4),
      [6, 8, 9].filter((seq) => seq >= from),
      `from ${from}`,
    );
  }
});

Deno.test("Succession.skipTo() goes on behind a hole with whoever was before it", () => {
  const succession = new Succession();
  succession.restart(1);
  assertEquals(counted(succession, [1, 0], [2, 1]), [1, 2]);
  succession.skipTo(10);
  assertEquals(counted(succession, [10, 8], [11, 10], [12, 5]), [10, 11]);
});
