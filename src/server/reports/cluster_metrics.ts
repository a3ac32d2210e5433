import type { Cluster } from "../../cluster/cluster.ts";
import { APPEND_RESULTS, ENTRY_KINDS } from "../../cluster/cluster_stats.ts";
import { counter, gauge, histogram, type Metric } from "../../telemetry/metrics.ts";

const ROLES = ["leader", "follower", "alone"] as const;

/** A hub's part in its cluster, to be scraped; from 0 where nothing happened yet. */
export function clusterMetrics(
  cluster: Pick<Cluster, "report" | "figures" | "waiting">,
): Metric[] {
  const { figures, waiting } = cluster;
  const { role, hub, id, leader, connected, hubs, unsaid, clients_connected } = cluster.report();
  return [
    gauge(
      "holdfast_cluster_info",
      "1; the labels say what this hub is called, and the one that leads.",
      [{ labels: { hub, id, leader: leader ?? "" }, value: 1 }],
    ),
    gauge(
      "holdfast_cluster_role",
      "What this hub is to its cluster: 1 for that role, 0 for the others.",
      ROLES.map((each) => ({ labels: { role: each }, value: each === role ? 1 : 0 })),
    ),
    gauge(
      "holdfast_cluster_connected",
      "1 while the broker (NATS) is joined, else 0.",
      connected ? 1 : 0,
    ),
    gauge("holdfast_cluster_hubs", "Hubs heard of lately, this one included.", hubs.length),
    gauge("holdfast_cluster_clients", "Clients of all those hubs.", clients_connected),
    counter(
      "holdfast_cluster_leader_changes_total",
      "Times a hub, this one or another, was seen to take the lead.",
      figures.leaders,
    ),
    counter(
      "holdfast_cluster_takeovers_total",
      "Times this hub took the lead.",
      figures.takeovers,
    ),
    counter(
      "holdfast_cluster_engine_losses_total",
      "Times the broker was lost after it had been joined.",
      figures.losses,
    ),
    counter(
      "holdfast_cluster_join_failures_total",
      "Times this hub tried to join and could not.",
      figures.joinFailures,
    ),
    counter(
      "holdfast_cluster_appends_total",
      "Entries this hub wrote into the stream, by what became of them.",
      APPEND_RESULTS.map((result) => ({ labels: { result }, value: figures.appends(result) })),
    ),
    histogram(
      "holdfast_cluster_append_duration_seconds",
      "Time the broker took to answer an append.",
      figures.appendSeconds.value(),
    ),
    gauge("holdfast_cluster_entries_waiting", "Entries that wait to be written.", waiting),
    gauge(
      "holdfast_cluster_unsaid",
      "Entries accepted while the hub was alone, which the others have yet to hear.",
      unsaid,
    ),
    counter(
      "holdfast_cluster_entries_read_total",
      "Entries read from the stream, this hub's own included, by kind.",
      ENTRY_KINDS.map((kind) => ({ labels: { kind }, value: figures.read(kind) })),
    ),
    counter(
      "holdfast_cluster_gaps_total",
      "Times some of the stream was gone before this hub could read it.",
      figures.gaps,
    ),
  ];
}
