import { LeaderChain } from "../../src/cluster/leader_chain.ts";
import { assertEquals } from "../support/assert.ts";

/** Numbers of the entries that count, of pairs of a number and the one it was written over. */
function counted(leaderChain: LeaderChain, ...entries: [seq: number, after: number][]): number[] {
  return entries.filter(([seq, after]) => leaderChain.counts(seq, after)).map(([seq]) => seq);
}

Deno.test("LeaderChain.counts() takes an unbroken line as it is", () => {
  const leaderChain = new LeaderChain();
  leaderChain.restart(1);
  assertEquals(counted(leaderChain, [1, 0], [2, 1], [5, 2], [6, 5]), [1, 2, 5, 6]);
  assertEquals(leaderChain.last, 6);
});

Deno.test("LeaderChain.counts() lets of two words written over the same one the first stand, and its line", () => {
  const leaderChain = new LeaderChain();
  leaderChain.restart(1);
  const entries: [number, number][] = [[1, 0], [2, 1], [3, 2], [4, 2], [5, 4], [6, 3], [7, 5], [
    8,
    6,
  ]];
  assertEquals(counted(leaderChain, ...entries), [1, 2, 3, 6, 8]);
});

Deno.test("LeaderChain.counts() finds the line that goes on, wherever reading begins", () => {
  const entries: [number, number][] = [[1, 0], [2, 1], [3, 2], [4, 2], [6, 3], [8, 6], [9, 8]];
  for (const [from] of entries) {
    const leaderChain = new LeaderChain();
    leaderChain.restart(from);
    const own = counted(leaderChain, ...entries.filter(([seq]) => seq >= from));
    assertEquals(
      own.filter((seq) => seq > 4),
      [6, 8, 9].filter((seq) => seq >= from),
      `from ${from}`,
    );
  }
});

Deno.test("LeaderChain.skipTo() goes on behind a hole with whoever was before it", () => {
  const leaderChain = new LeaderChain();
  leaderChain.restart(1);
  assertEquals(counted(leaderChain, [1, 0], [2, 1]), [1, 2]);
  leaderChain.skipTo(10);
  assertEquals(counted(leaderChain, [10, 8], [11, 10], [12, 5]), [10, 11]);
});

Deno.test("LeaderChain.restore() judges again what is read again", () => {
  const leaderChain = new LeaderChain();
  leaderChain.restart(1);
  assertEquals(counted(leaderChain, [1, 0], [2, 1]), [1, 2]);
  const { state } = leaderChain;
  for (let times = 0; times < 2; times++) {
    leaderChain.restore(state);
    assertEquals(counted(leaderChain, [3, 2], [4, 2], [5, 3]), [3, 5]);
  }
  assertEquals(state.last, 2);
});
