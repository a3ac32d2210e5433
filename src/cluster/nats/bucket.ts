import type { JetStreamManager } from "@nats-io/jetstream";
import type { KV, Kvm } from "@nats-io/kv";
import { nanos } from "@nats-io/nats-core";
import { apiCodeOf, NATS_API } from "./errors.ts";
import { withReplicas } from "./replicas.ts";

/** A key-value bucket of a cluster. */
export interface BucketOptions {
  /** Milliseconds after which an entry is gone. Default: never. */
  ttlMs?: number;
}

/**
 * Makes a bucket if it is not there; read from where it is written, so never behind. Entries of one
 * that is there are kept longer from now on if this hub needs it, and never shorter: a hub whose lease
 * is the shorter one then takes itself for deposed too early, which is safe.
 */
export async function ensureBucket(
  { kvm, jsm }: { kvm: Kvm; jsm: JetStreamManager },
  name: string,
  { ttlMs }: BucketOptions = {},
): Promise<KV> {
  const stream = `KV_${name}`;
  try {
    const { config } = await jsm.streams.info(stream);
    const max_age = nanos(ttlMs ?? 0);
    if (config.max_age > 0 && config.max_age < max_age) {
      await jsm.streams.update(stream, { max_age });
    }
    return await kvm.open(name, { allow_direct: false });
  } catch (error) {
    if (apiCodeOf(error) !== NATS_API.streamNotFound) throw error;
  }
  const ttl = ttlMs === undefined ? {} : { ttl: ttlMs };
  return await withReplicas((replicas) =>
    kvm.create(name, { ...ttl, history: 1, replicas, allow_direct: false })
  );
}

/** The keys of a bucket. The library's own way takes a reader, which NATS cannot make at all times. */
export async function keysOf(jsm: JetStreamManager, name: string): Promise<string[]> {
  const prefix = `$KV.${name}.`;
  const { state } = await jsm.streams.info(`KV_${name}`, { subjects_filter: `${prefix}>` });
  return Object.keys(state.subjects ?? {}).map((subject) => subject.slice(prefix.length));
}
