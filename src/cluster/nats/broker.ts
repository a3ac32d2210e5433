// @ts-types="../../std_types/deadline.d.ts"
import { deadline } from "@std/async/deadline";
import type { NatsConnection } from "@nats-io/nats-core";
import {
  jetstream,
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
} from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import type { Clock } from "../../resilience/clock.ts";
import {
  type Appended,
  type AppendOptions,
  type Broker,
  BrokerError,
  type LatestValues,
  type Lease,
  type Stored,
  type StreamState,
} from "../broker.ts";
import { connectionOptions, type NatsAddress } from "./address.ts";
import { apiCodeOf, NATS_API, whyOf } from "./errors.ts";
import { NatsLatest } from "./latest_values.ts";
import { NatsLease } from "./lease.ts";
import { NatsReader } from "./reader.ts";
import { type NatsNames, natsNames } from "./names.ts";
import { ensureBucket, ensureStream, type StreamLimits } from "./stream.ts";
import { connectNats } from "./transport.ts";

export interface NatsBrokerOptions {
  clock: Clock;
  address: NatsAddress;
  /** The cluster's name. */
  cluster: string;
  /** This hub's name, for NATS' own monitoring. */
  hub: string;
  limits: StreamLimits;
  /** How long a lease lasts that is not renewed, in milliseconds. */
  leaseMs: number;
}

/** An answer that does not come within this time, in milliseconds, is a failure. */
const ASK_TIMEOUT_MS = 2000;

/** An engine that has failed at everything for this long, in milliseconds, counts as lost. */
const GIVE_UP_AFTER_MS = 4000;

/** Bytes the server adds to an entry: headers and subject. */
const ENVELOPE_BYTES = 1024;

/** The shared stream on NATS with JetStream, server 2.9 or later. */
export class NatsBroker implements Broker {
  readonly lease: Lease;
  readonly latest: LatestValues;
  readonly #connection: NatsConnection;
  readonly #js: JetStreamClient;
  readonly #jsm: JetStreamManager;
  readonly #leaseBucket: KV;
  readonly #names: NatsNames;
  readonly #clock: Clock;
  readonly #lost: AbortController;
  readonly #reader: NatsReader;
  readonly #encoder = new TextEncoder();
  #failingSince: number | undefined;

  /**
   * Connects, and makes what is not there yet: the stream and the two buckets.
   *
   * @throws {BrokerError} If that fails, or takes too long.
   */
  static async open(options: NatsBrokerOptions, signal: AbortSignal): Promise<NatsBroker> {
    const { address, cluster, hub, limits, leaseMs, clock } = options;
    const names = natsNames(cluster);
    let connection: NatsConnection | undefined;
    try {
      connection = await connectNats(connectionOptions(address, `holdfast ${hub}`));
      signal.throwIfAborted();
      const jsm = await jetstreamManager(connection, { timeout: ASK_TIMEOUT_MS });
      const info = await ensureStream(jsm, names, limits);
      const kvm = new Kvm(jetstream(connection, { timeout: ASK_TIMEOUT_MS }));
      const [lease, latest] = await Promise.all([
        ensureBucket({ kvm, jsm }, names.leaseBucket, { ttlMs: leaseMs }),
        ensureBucket({ kvm, jsm }, names.latestBucket),
      ]);
      const streamId = info.created;
      return new NatsBroker({ clock, names, connection, jsm, lease, latest, streamId });
    } catch (error) {
      await connection?.close().catch(() => {});
      throw new BrokerError(whyOf(error));
    }
  }

  private constructor(parts: {
    clock: Clock;
    names: NatsNames;
    connection: NatsConnection;
    jsm: JetStreamManager;
    lease: KV;
    latest: KV;
    streamId: string;
  }) {
    const { clock, names, connection, jsm, lease, latest, streamId } = parts;
    this.#clock = clock;
    this.#names = names;
    this.#connection = connection;
    this.#jsm = jsm;
    this.#js = jetstream(connection, { timeout: ASK_TIMEOUT_MS });
    this.#leaseBucket = lease;
    this.#lost = new AbortController();
    const ask = <T>(question: () => Promise<T>) => this.#ask(question);
    this.lease = new NatsLease({
      ask,
      jsm,
      js: this.#js,
      bucket: lease,
      bucketName: names.leaseBucket,
    });
    this.#reader = new NatsReader({
      clock,
      ask,
      js: this.#js,
      stream: names.stream,
      lost: this.#lost.signal,
      lose: (why) => this.#lose(why),
    });
    this.latest = new NatsLatest(latest, { ask, streamId });
    connection.closed().then((error) => this.#lose(error ? whyOf(error) : "connection closed"));
    void this.#noteStatus();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async state(): Promise<StreamState> {
    const { created, state } = await this.#ask(() => this.#jsm.streams.info(this.#names.stream));
    return { id: created, first: Math.max(1, state.first_seq), last: state.last_seq };
  }

  async newestOfLeaders(): Promise<Stored | undefined> {
    return await this.#ask(async () => {
      try {
        const query = { last_by_subj: this.#names.lead };
        const message = await this.#jsm.streams.getMessage(this.#names.stream, query);
        return message === null ? undefined : { seq: message.seq, text: message.string() };
      } catch (error) {
        if (apiCodeOf(error) === NATS_API.messageNotFound) return undefined;
        throw error;
      }
    });
  }

  async append(text: string, { as, id, fence }: AppendOptions): Promise<Appended> {
    const payload = this.#encoder.encode(text);
    const maxBytes = (this.#connection.info?.max_payload ?? Infinity) - ENVELOPE_BYTES;
    if (payload.length > maxBytes) return { kind: "too_large", maxBytes };
    const subject = as === "leader" ? this.#names.lead : this.#names.any;
    return await this.#ask(async () => {
      try {
        const { seq } = await this.#js.publish(subject, payload, {
          msgID: id,
          timeout: ASK_TIMEOUT_MS,
          ...(fence === undefined ? {} : { expect: { lastSubjectSequence: fence } }),
        });
        return { kind: "stored", seq };
      } catch (error) {
        if (apiCodeOf(error) === NATS_API.wrongLastSequence) return { kind: "fenced" };
        throw error;
      }
    });
  }

  async read(from: number, onEntry: (entry: Stored) => void): Promise<void> {
    await this.#reader.read(from, onEntry);
  }

  say(topic: string, text: string): void {
    if (this.lost.aborted) return;
    this.#connection.publish(this.#names.fleeting(topic), text);
  }

  listen(topic: string, onText: (text: string) => void): void {
    this.#connection.subscribe(this.#names.fleeting(topic), {
      callback: (error, message) => {
        if (error === null || error === undefined) onText(message.string());
      },
    });
  }

  async onLeaseFreed(told: () => void): Promise<void> {
    const watch = await this.#ask(() => this.#leaseBucket.watch());
    this.lost.addEventListener("abort", () => watch.stop(), { once: true });
    void (async () => {
      for await (const { operation } of watch) if (operation !== "PUT") told();
    })().catch(() => {}); // with the connection; that is told elsewhere
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lose("closed by this hub");
    try {
      await deadline(this.#connection.close(), ASK_TIMEOUT_MS);
    } catch { /* it is gone, whatever the other side thinks of it */ }
  }

  /** Puts a question under a deadline, and minds for how long nothing was answered. */
  async #ask<T>(question: () => Promise<T>): Promise<T> {
    if (this.lost.aborted) throw new BrokerError(String(this.lost.reason));
    try {
      const answer = await deadline(question(), ASK_TIMEOUT_MS, { signal: this.lost });
      this.#failingSince = undefined;
      return answer;
    } catch (error) {
      if (apiCodeOf(error) !== undefined && !isUnavailable(error)) {
        this.#failingSince = undefined; // it answered, only not as was hoped
      } else {
        const now = this.#clock.now();
        this.#failingSince ??= now;
        if (now - this.#failingSince >= GIVE_UP_AFTER_MS) this.#lose(whyOf(error));
      }
      throw new BrokerError(whyOf(error), { cause: error });
    }
  }

  #lose(why: string): void {
    if (!this.lost.aborted) this.#lost.abort(new BrokerError(why));
  }

  async #noteStatus(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === "disconnect" || status.type === "staleConnection") {
        this.#lose(status.type === "disconnect" ? "connection lost" : "it does not answer pings");
      }
    }
  }
}

/** JetStream's own way to say that it cannot serve at the moment. */
function isUnavailable(error: unknown): boolean {
  const code = apiCodeOf(error);
  return code === NATS_API.unavailable || code === NATS_API.noLeader;
}
