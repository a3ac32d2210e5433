import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import type { Lease } from "../broker.ts";
import { apiCodeOf, NATS_API } from "./errors.ts";

const KEY = "leader";

/** Asks the broker under a deadline, and counts whether it answers at all. */
export type Ask = <T>(question: () => Promise<T>) => Promise<T>;

export interface NatsLeaseOptions {
  js: JetStreamClient;
  jsm: JetStreamManager;
  /** The bucket, whose entries expire. It holds the lease and nothing else. */
  bucket: KV;
  bucketName: string;
  ask: Ask;
}

/**
 * The lease as the only key of a key-value bucket whose entries expire: kept by writing it again
 * over the very revision one wrote last, lost by anything else.
 *
 * Each write expects a last sequence of the bucket's whole stream. To expect one of the key, as the
 * bucket's own `create` and `update` do, is not safe where several servers keep the stream: two
 * hubs can win at once (nats-server issue 4320).
 */
export class NatsLease implements Lease {
  readonly #options: NatsLeaseOptions;
  #held: { readonly holder: string; readonly revision: number } | undefined;

  constructor(options: NatsLeaseOptions) {
    this.#options = options;
  }

  async take(holder: string): Promise<number | undefined> {
    const { ask, bucket, bucketName, jsm } = this.#options;
    // The sequence first: a hub that writes after this has it before us.
    const { state } = await ask(() => jsm.streams.info(`KV_${bucketName}`));
    const entry = await ask(() => bucket.get(KEY));
    // One of this hub's, from before its connection was lost, is its own still.
    const isFree = entry === null || entry.operation !== "PUT" || entry.string() === holder;
    if (!isFree) return undefined;
    return await this.#write(holder, state.last_seq);
  }

  async renew(): Promise<boolean> {
    const held = this.#held;
    if (held === undefined) return false;
    return await this.#write(held.holder, held.revision) !== undefined;
  }

  async release(): Promise<void> {
    const { ask, bucket } = this.#options;
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return;
    try {
      await ask(() => bucket.delete(KEY, { previousSeq: held.revision }));
    } catch (error) {
      if (!isTooLate(error)) throw error;
    }
  }

  /** The lease's revision now; undefined if somebody else wrote since `over`. */
  async #write(holder: string, over: number): Promise<number | undefined> {
    const { ask, bucketName, js } = this.#options;
    this.#held = undefined;
    try {
      const { seq } = await ask(() =>
        js.publish(`$KV.${bucketName}.${KEY}`, holder, { expect: { lastSequence: over } })
      );
      // A server that let two through has numbered them one after the other.
      if (seq !== over + 1) return undefined;
      this.#held = { holder, revision: seq };
      return seq;
    } catch (error) {
      if (isTooLate(error)) return undefined;
      // Whether it was written is not known; the lease may still be held as it was.
      this.#held = { holder, revision: over };
      throw error;
    }
  }
}

function isTooLate(error: unknown): boolean {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return apiCodeOf(cause) === NATS_API.wrongLastSequence;
}
