import type { KV } from "@nats-io/kv";
import type { Clock } from "../../resilience/clock.ts";
import type { LatestValues, Stored } from "../broker.ts";
import { apiCodeOf, isMissing, NATS_API } from "./errors.ts";
import type { Ask } from "./lease.ts";

/** Times a value is offered against others written meanwhile, before the next one is waited for. */
const MAX_TRIES = 4;

/** A value is kept behind the name of its stream's life and its number there. */
const HEAD_END = "\n";

/** A bucket that is gone is made again, but not more often than this, in milliseconds. */
const OPEN_AGAIN_AFTER_MS = 5000;

export interface NatsLatestOptions {
  clock: Clock;
  ask: Ask;
  /** Opens the bucket, and makes it where it is gone. */
  open: () => Promise<KV>;
  /** The keys there are. */
  keys: () => Promise<string[]>;
  streamId: string;
}

/**
 * The last good values in a key-value bucket. A value is written only over an older one, whoever
 * wrote that: a hub that stood still for a while cannot bring back what was replaced meanwhile.
 */
export class NatsLatest implements LatestValues {
  #kv: KV;
  readonly #options: NatsLatestOptions;
  #openedAt: number;
  /** The revision each channel's value was last seen at; as many as there are channels. */
  readonly #revisions = new Map<string, number>();

  constructor(kv: KV, options: NatsLatestOptions) {
    this.#kv = kv;
    this.#options = options;
    this.#openedAt = options.clock.now();
  }

  async all(): Promise<Map<string, Stored>> {
    const values = new Map<string, Stored>();
    for (const channel of await this.#options.ask(this.#options.keys)) {
      const entry = await this.#options.ask(() => this.#kv.get(channel));
      const stored = entry?.operation === "PUT" ? this.#read(entry.string()) : undefined;
      if (stored) values.set(channel, stored);
    }
    return values;
  }

  async put(channel: string, seq: number, text: string): Promise<void> {
    const value = `${this.#options.streamId} ${seq}${HEAD_END}${text}`;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      try {
        const over = this.#revisions.get(channel);
        const revision = await this.#options.ask(() =>
          over === undefined
            ? this.#kv.create(channel, value)
            : this.#kv.update(channel, value, over)
        );
        this.#revisions.set(channel, revision);
        return;
      } catch (error) {
        const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
        if (apiCodeOf(cause) !== NATS_API.wrongLastSequence) {
          if (!isMissing(cause) || !await this.#openAgain()) throw error;
          continue;
        }
      }
      const there = await this.#options.ask(() => this.#kv.get(channel));
      if (there === null) this.#revisions.delete(channel);
      else {
        this.#revisions.set(channel, there.revision);
        if (there.operation === "PUT" && (this.#read(there.string())?.seq ?? 0) >= seq) return;
      }
    }
  }

  /** Somebody may have deleted the bucket; false if it was opened just now. */
  async #openAgain(): Promise<boolean> {
    const { clock, open, ask } = this.#options;
    if (clock.now() - this.#openedAt < OPEN_AGAIN_AFTER_MS) return false;
    this.#openedAt = clock.now();
    this.#kv = await ask(open);
    this.#revisions.clear();
    return true;
  }

  /** Numbers of another life of the stream say nothing in this one: there, 0 stands for them. */
  #read(value: string): Stored | undefined {
    const end = value.indexOf(HEAD_END);
    const [id, seq] = value.slice(0, Math.max(0, end)).split(" ");
    if (end < 0 || !Number.isInteger(Number(seq))) return undefined;
    return { seq: id === this.#options.streamId ? Number(seq) : 0, text: value.slice(end + 1) };
  }
}
