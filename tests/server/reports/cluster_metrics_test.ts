import { ClusterStats } from "../../../src/cluster/cluster_stats.ts";
import type { ClusterReport } from "../../../src/cluster/cluster_report.ts";
import { clusterMetrics } from "../../../src/server/reports/cluster_metrics.ts";
import { exposition } from "../../../src/telemetry/metrics.ts";
import { assertEquals } from "../../support/assert.ts";
import { hasPromtool, promtool } from "../../support/promtool.ts";
import { Scrape } from "../../support/scrape.ts";

const REPORT: ClusterReport = {
  role: "follower",
  hub: "b",
  id: "b/1",
  leader: "a",
  unsaid: 2,
  connected: true,
  clients_connected: 7,
  hubs: [
    { hub: "b", id: "b/1", role: "follower", clients: 3 },
    { hub: "a", id: "a/1", role: "leader", clients: 4 },
  ],
};

async function scrape(
  figures: ClusterStats,
  report: ClusterReport = REPORT,
  waiting = 0,
): Promise<Scrape> {
  const metrics = clusterMetrics({ figures, waiting, report: () => report });
  return new Scrape((await exposition(metrics)).text);
}

Deno.test("clusterMetrics() tells the role, the others and their clients", async () => {
  const shown = await scrape(new ClusterStats(), REPORT, 5);
  assertEquals(shown.get('holdfast_cluster_role{role="follower"}'), 1);
  assertEquals(shown.get('holdfast_cluster_role{role="leader"}'), 0);
  assertEquals(shown.get('holdfast_cluster_role{role="alone"}'), 0);
  assertEquals(shown.get("holdfast_cluster_connected"), 1);
  assertEquals(shown.get("holdfast_cluster_hubs"), 2);
  assertEquals(shown.get('holdfast_cluster_info{hub="b",id="b/1",leader="a"}'), 1);
  assertEquals(shown.get("holdfast_cluster_unsaid"), 2);
  assertEquals(shown.get("holdfast_cluster_clients"), 7);
  assertEquals(shown.get("holdfast_cluster_entries_waiting"), 5);
  const alone = await scrape(new ClusterStats(), { ...REPORT, role: "alone", connected: false });
  assertEquals(alone.get('holdfast_cluster_role{role="alone"}'), 1);
  assertEquals(alone.get("holdfast_cluster_connected"), 0);
});

Deno.test("clusterMetrics() has every series from the start, and what was counted", async () => {
  const figures = new ClusterStats();
  const before = await scrape(figures);
  figures.onClaim({ term: 4 });
  figures.onTakeover();
  figures.onLoss();
  figures.onGap();
  figures.onRead(undefined);
  figures.onAppended({ kind: "stored", seq: 9 }, 3);
  figures.onAppended({ kind: "fenced" }, 3);
  const after = await scrape(figures);
  const changed = [...after.series].filter(([name, value]) =>
    !name.includes("_duration_") && value !== before.get(name)
  );
  assertEquals(Object.fromEntries(changed), {
    holdfast_cluster_leader_changes_total: 1,
    holdfast_cluster_takeovers_total: 1,
    holdfast_cluster_engine_losses_total: 1,
    holdfast_cluster_gaps_total: 1,
    'holdfast_cluster_entries_read_total{kind="unknown"}': 1,
    'holdfast_cluster_appends_total{result="stored"}': 1,
    'holdfast_cluster_appends_total{result="fenced"}': 1,
  });
  assertEquals(after.get("holdfast_cluster_append_duration_seconds_count"), 2);
  assertEquals([...after.series.keys()], [...before.series.keys()]);
});

Deno.test({
  name: "clusterMetrics() keeps to Prometheus' conventions",
  ignore: !hasPromtool(),
  fn: async () => {
    const { text } = await scrape(new ClusterStats());
    assertEquals(await promtool(["check", "metrics"], text), "");
  },
});
