/** What belongs to one cluster, by NATS' names: hubs of one `cluster.name` meet under these. */
export interface NatsNames {
  /** The JetStream stream. */
  readonly stream: string;
  /** Subject of the entries that only the leader may write. */
  readonly lead: string;
  /** Subject of the entries that any hub may write. */
  readonly any: string;
  /** Key-value bucket of the lease; its entries expire. */
  readonly leaseBucket: string;
  /** Key-value bucket of the last good values. */
  readonly latestBucket: string;
  /** Subject of what is said and not kept. */
  readonly fleeting: (topic: string) => string;
}

export function natsNames(cluster: string): NatsNames {
  const prefix = `holdfast.${cluster}`;
  return {
    stream: `holdfast_${cluster}`,
    lead: `${prefix}.lead`,
    any: `${prefix}.any`,
    leaseBucket: `holdfast_${cluster}_lease`,
    latestBucket: `holdfast_${cluster}_latest`,
    fleeting: (topic) => `${prefix}.hubs.${topic}`,
  };
}
