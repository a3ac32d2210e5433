import type { App } from "../../src/server/app.ts";
import { assertEquals, assertGreater } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import { startApp } from "../support/hub_in_process.ts";
import { hasNatsServer, NatsServer } from "../support/nats.ts";
import { Scrape } from "../support/scrape.ts";
import { within } from "../support/until.ts";

function startHub(nats: NatsServer): Promise<App> {
  return startApp({
    backends: { host: { transport: "host" } },
    sources: [
      { channel: "system_status", backend: "host", method: "GetSystemStatus", every: "100ms" },
    ],
    hub: { heartbeat_every: "200ms" },
    cluster: { nats: nats.url, grace: "1s" },
  });
}

function role(is: string): string {
  return `holdfast_cluster_role{role="${is}"}`;
}

Deno.test({
  name: "GET /metrics tells of a hub's part in its cluster, and of NATS lost",
  ignore: !hasNatsServer(),
  fn: async () => {
    await using nats = await NatsServer.start();
    await using leader = await startHub(nats);
    await eventually("it leads", () => leader.statusReport().cluster?.role === "leader");
    await using follower = await startHub(nats);
    const hubs = () => follower.statusReport().cluster?.hubs.length;
    await eventually("they know each other", () => hubs() === 2);
    const values = `holdfast_cluster_entries_read_total{kind="value"}`;
    const broadcasts = "holdfast_broadcasts_total";
    // What it has read to catch up it does not broadcast.
    const following = async () => {
      for (;;) {
        const scrape = await Scrape.of(follower);
        if ((scrape.get(values) ?? 0) >= 3 && (scrape.get(broadcasts) ?? 0) > 0) return scrape;
      }
    };
    const second = await within(following(), { explain: () => "it broadcasts nothing" });
    const first = await Scrape.of(leader);

    assertEquals([first.get(role("leader")), second.get(role("follower"))], [1, 1]);
    for (const each of [first, second]) {
      assertEquals(each.get("holdfast_cluster_connected"), 1);
      assertEquals(each.get("holdfast_cluster_hubs"), 2);
      assertEquals(each.get("holdfast_cluster_engine_losses_total"), 0);
      assertEquals(each.get("holdfast_cluster_gaps_total"), 0);
      assertEquals(each.get(`holdfast_cluster_entries_read_total{kind="unknown"}`), 0);
    }
    assertEquals(first.get("holdfast_cluster_takeovers_total"), 1);
    assertEquals(second.get("holdfast_cluster_takeovers_total"), 0);
    const stored = `holdfast_cluster_appends_total{result="stored"}`;
    assertGreater(first.get(stored) ?? 0, 2);
    assertEquals(first.get("holdfast_cluster_append_duration_seconds_count"), first.get(stored));
    assertEquals(second.get(stored), 0);
    // The polls are the leader's alone.
    const polls =
      `holdfast_poll_duration_seconds_count{channel="system_status",backend="host",outcome="ok"}`;
    assertGreater(first.get(polls) ?? 0, 0);
    assertEquals(second.get(polls), 0);
    // What is broadcast is counted, not the stream's numbers.
    assertGreater(first.get(broadcasts) ?? 0, 0);

    await nats.kill();
    await eventually(
      "both do without",
      () => [leader, follower].every((app) => app.statusReport().cluster?.role === "alone"),
    );
    for (const app of [leader, follower]) {
      const alone = await Scrape.of(app);
      assertEquals(alone.get(role("alone")), 1);
      assertEquals(alone.get("holdfast_cluster_connected"), 0);
      assertEquals(alone.get("holdfast_cluster_hubs"), 1);
      assertEquals(alone.get("holdfast_cluster_engine_losses_total"), 1);
    }
  },
});
