import { APPEND_RESULTS, ClusterStats, ENTRY_KINDS } from "../../src/cluster/cluster_stats.ts";
import type { Broadcast } from "../../src/cluster/entry.ts";
import type { JsonText } from "../../src/protocol/codec.ts";
import { assertEquals } from "../support/assert.ts";

function broadcast(changes: Partial<Broadcast>): Broadcast {
  const data = "{}" as JsonText;
  const entry = {
    kind: "broadcast",
    epoch: "e",
    hub: "a",
    type: "notification",
    timestamp: 1,
    data,
  };
  return { ...entry, ...changes } as Broadcast;
}

Deno.test("ClusterStats() begins with 0 everywhere", () => {
  const figures = new ClusterStats();
  assertEquals([figures.leaders, figures.takeovers, figures.losses, figures.gaps], [0, 0, 0, 0]);
  assertEquals(APPEND_RESULTS.map((result) => figures.appends(result)), [0, 0, 0, 0]);
  assertEquals(ENTRY_KINDS.map((kind) => figures.read(kind)), [0, 0, 0, 0, 0, 0, 0]);
});

Deno.test("ClusterStats.onClaim() counts a leader once, however often it repeats its claim", () => {
  const figures = new ClusterStats();
  for (const term of [3, 3, 7, 7, 7, 9]) figures.onClaim({ term });
  assertEquals(figures.leaders, 3);
});

Deno.test("ClusterStats.onRead() tells entries by what they are about", () => {
  const figures = new ClusterStats();
  figures.onRead({ kind: "claim", epoch: "e", hub: "a", term: 1, after: 0 });
  figures.onRead(
    broadcast({ type: "cpu", status: { is_stale: false, cached_at: 1, age_ms: 0 } }),
  );
  figures.onRead(broadcast({ type: "notification" }));
  for (const type of ["error", "rpc_error", "connection_error"]) {
    figures.onRead(broadcast({ type }));
  }
  figures.onRead(undefined);
  figures.onVoid();
  const counts = ENTRY_KINDS.map((kind) => [kind, figures.read(kind)]);
  assertEquals(Object.fromEntries(counts), {
    claim: 1,
    value: 1,
    event: 1,
    error: 3,
    gap: 0,
    void: 1,
    unknown: 1,
  });
});

Deno.test("ClusterStats.onAppended() counts every outcome, and times what the broker answered", () => {
  const figures = new ClusterStats();
  figures.onAppended({ kind: "stored", seq: 1 }, 4);
  figures.onAppended({ kind: "stored", seq: 2 }, 40);
  figures.onAppended({ kind: "fenced" }, 6);
  figures.onAppended({ kind: "too_large", maxBytes: 10 }, 0);
  figures.onUnanswered();
  const counts = APPEND_RESULTS.map((result) => [result, figures.appends(result)]);
  assertEquals(Object.fromEntries(counts), { stored: 2, fenced: 1, too_large: 1, unanswered: 1 });
  const { bounds, cumulative, sum } = figures.appendSeconds.value();
  assertEquals([cumulative.at(-1), Math.round(sum * 1000)], [3, 50]);
  assertEquals(cumulative[bounds.indexOf(0.01)], 2);
});
