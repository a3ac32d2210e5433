import type { Cluster } from "../cluster/cluster.ts";
import type { ClusterOptions } from "../cluster/cluster_options.ts";
import type { Config } from "../config/schema.ts";

/** Joins the hubs that the configuration names. */
export async function joinCluster(
  config: Config,
  place: Omit<ClusterOptions, "name" | "open" | "leaseMs" | "graceMs">,
): Promise<Cluster | undefined> {
  if (config.cluster === undefined) return undefined;
  const { nats, ca, cert, key, credentials, nkey, name: cluster, lease, grace } = config.cluster;
  // Loaded only where it is needed: the client of the broker is large.
  const [{ Cluster }, { NatsBroker }, { ServerVersions }] = await Promise.all([
    import("../cluster/cluster.ts"),
    import("../cluster/nats/broker.ts"),
    import("../cluster/nats/server_version.ts"),
  ]);
  const versions = new ServerVersions();
  const { clock } = place;
  const name = config.cluster.hub_name ?? Deno.hostname();
  const open = (signal: AbortSignal) =>
    NatsBroker.open({
      clock,
      address: {
        servers: [nats].flat(),
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        ...(credentials === undefined ? {} : { credentials }),
        ...(nkey === undefined ? {} : { nkey }),
      },
      cluster,
      hub: name,
      limits: { maxEntries: entriesWithin(config), maxAgeMs: config.hub.history_for },
      leaseMs: lease,
      onServer: (server) => versions.tell(server),
    }, signal);
  const joined = new Cluster({ ...place, name, open, leaseMs: lease, graceMs: grace });
  joined.start();
  return joined;
}

/** A leader repeats its claim no more often than this, in milliseconds. */
const CLAIM_EVERY_MS = 2000;

/**
 * Entries that keep what `history_…` promises: so many events and errors, and whatever values the
 * sources give meanwhile, which stand in the same stream.
 */
function entriesWithin({ hub, sources }: Config): number {
  const { history_messages, history_for } = hub;
  const values = sources.reduce((sum, { every }) => sum + Math.ceil(history_for / every), 0);
  // A leader that has nothing to say repeats its claim.
  return history_messages + values + Math.ceil(history_for / CLAIM_EVERY_MS);
}
