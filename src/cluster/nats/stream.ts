import {
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamInfo,
} from "@nats-io/jetstream";
import type { KV, Kvm } from "@nats-io/kv";
import { nanos } from "@nats-io/nats-core";
import type { NatsNames } from "./names.ts";
import { apiCodeOf, NATS_API } from "./errors.ts";

/** Bounds on what the stream keeps. */
export interface StreamLimits {
  /** Entries kept of each kind, the leader's and everybody's. */
  readonly maxEntries: number;
  /** Milliseconds. */
  readonly maxAgeMs: number;
}

/** How many servers of a NATS cluster keep a copy: any one of three can be lost. */
export const REPLICAS = 3;

/**
 * The stream keeps its entries for at least this long, in milliseconds, however little the hubs
 * keep: the newest leader's entry is what tells who leads.
 */
const MIN_AGE_MS = 60_000;

/** For the same reason it keeps some, in any case. */
const MIN_ENTRIES = 16;

/** An entry offered twice within this time, in milliseconds, is stored once. */
const DUPLICATE_WINDOW_MS = 120_000;

/**
 * Makes the stream, or brings its limits up to date if it is there: the hub that joined last
 * decides. On a NATS cluster it is kept by three servers.
 */
export async function ensureStream(
  jsm: JetStreamManager,
  names: NatsNames,
  { maxEntries, maxAgeMs }: StreamLimits,
): Promise<StreamInfo> {
  const age = Math.max(MIN_AGE_MS, maxAgeMs);
  const limits = {
    subjects: [names.lead, names.any],
    max_msgs_per_subject: Math.max(MIN_ENTRIES, maxEntries),
    max_age: nanos(age),
    duplicate_window: nanos(Math.min(age, DUPLICATE_WINDOW_MS)),
  };
  try {
    await jsm.streams.info(names.stream);
    return await jsm.streams.update(names.stream, limits);
  } catch (error) {
    if (apiCodeOf(error) !== NATS_API.streamNotFound) throw error;
  }
  return await withReplicas((num_replicas) =>
    jsm.streams.add({
      ...limits,
      name: names.stream,
      description: "What Holdfast hubs of one cluster broadcast",
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      storage: StorageType.File,
      num_replicas,
    })
  );
}

/** A key-value bucket of a cluster. */
export interface BucketOptions {
  /** Milliseconds after which an entry is gone. Default: never. */
  ttlMs?: number;
}

/** Makes a bucket, or brings it up to date; read from where it is written, so never behind. */
export async function ensureBucket(
  { kvm, jsm }: { kvm: Kvm; jsm: JetStreamManager },
  name: string,
  { ttlMs }: BucketOptions = {},
): Promise<KV> {
  const ttl = ttlMs === undefined ? {} : { ttl: ttlMs };
  const bucket = await withReplicas((replicas) =>
    kvm.create(name, { ...ttl, history: 1, replicas, allow_direct: false })
  );
  // One that is there already is opened as it is.
  if (ttlMs !== undefined && (await bucket.status()).ttl !== ttlMs) {
    const max_age = nanos(ttlMs);
    await jsm.streams.update(`KV_${name}`, { max_age, duplicate_window: max_age });
  }
  return bucket;
}

/** Makes something with as many replicas as it should have, or one where there is one server. */
export async function withReplicas<T>(make: (replicas: number) => Promise<T>): Promise<T> {
  try {
    return await make(REPLICAS);
  } catch (error) {
    if (apiCodeOf(error) !== NATS_API.replicasNeedCluster) throw error;
    return await make(1);
  }
}
