// @ts-types="../../std_types/deadline.d.ts"
import { deadline } from "@std/async/deadline";
import { type NatsConnection, PermissionViolationError } from "@nats-io/nats-core";
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
import { connectionOptions, type NatsAddress, readLogin } from "./address.ts";
import { ensureBucket, keysOf } from "./bucket.ts";
import { BrokerHealth, type BrokerPart } from "./broker_health.ts";
import { apiCodeOf, NATS_API, whyOf } from "./errors.ts";
import { NatsLatest } from "./latest_values.ts";
import { NatsLease } from "./lease.ts";
import { NatsReader } from "./reader.ts";
import { type NatsNames, natsNames } from "./names.ts";
import { copiesMayDiffer, type NatsServerFacts } from "./server_version.ts";
import { ensureStream, streamIdOf, type StreamLimits } from "./stream.ts";
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
  /** Told which server answered. Default: nobody is. */
  onServer?: (server: NatsServerFacts) => void;
}

/** An answer that does not come within this time, in milliseconds, is a failure. */
const ASK_TIMEOUT_MS = 2000;

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
  readonly #lost: AbortController;
  readonly #reader: NatsReader;
  readonly #encoder = new TextEncoder();
  readonly #health: BrokerHealth;
  /** What the server said last of what this account may not. */
  #denied: string | undefined;

  /**
   * Connects, and makes what is not there yet: the stream and the two buckets.
   *
   * @throws {BrokerError} If that fails, or takes too long.
   */
  static async open(options: NatsBrokerOptions, signal: AbortSignal): Promise<NatsBroker> {
    const { address, cluster, hub, limits, leaseMs, clock, onServer } = options;
    const names = natsNames(cluster);
    let connection: NatsConnection | undefined;
    try {
      const login = await readLogin(address);
      connection = await connectNats({
        ...connectionOptions(address, `holdfast ${hub}`),
        ...login,
      });
      signal.throwIfAborted();
      const { version = "unknown", cluster: cluster_name } = connection.info ?? {};
      const server = { version, isClustered: cluster_name !== undefined };
      onServer?.(server);
      const jsm = await jetstreamManager(connection, { timeout: ASK_TIMEOUT_MS });
      const info = await ensureStream(jsm, names, limits);
      const kvm = new Kvm(jetstream(connection, { timeout: ASK_TIMEOUT_MS }));
      const openLatest = () => ensureBucket({ kvm, jsm }, names.latestBucket);
      const [lease, latest] = await Promise.all([
        ensureBucket({ kvm, jsm }, names.leaseBucket, { ttlMs: leaseMs }),
        openLatest(),
      ]);
      const streamId = streamIdOf(info);
      return new NatsBroker({
        ...{ clock, names, connection, jsm, lease, latest, openLatest, streamId },
        copiesMayDiffer: copiesMayDiffer(server),
      });
    } catch (error) {
      if (connection) await closeInTime(connection);
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
    openLatest: () => Promise<KV>;
    streamId: string;
    copiesMayDiffer: boolean;
  }) {
    const { clock, names, connection, jsm, lease, latest, openLatest, streamId } = parts;
    this.#names = names;
    this.#connection = connection;
    this.#jsm = jsm;
    this.#js = jetstream(connection, { timeout: ASK_TIMEOUT_MS });
    this.#leaseBucket = lease;
    this.#lost = new AbortController();
    this.#health = new BrokerHealth({ clock, lose: (why) => this.#lose(why) });
    this.lease = new NatsLease({
      ask: (question) => this.#ask(question, "lease"),
      jsm,
      js: this.#js,
      bucket: lease,
      bucketName: names.leaseBucket,
    });
    this.#reader = new NatsReader({
      clock,
      ask: (question) => this.#ask(question),
      js: this.#js,
      jsm,
      stream: names.stream,
      maxPayload: connection.info?.max_payload ?? 0,
      isSame: async () => streamIdOf(await jsm.streams.info(names.stream)) === streamId,
      ...(parts.copiesMayDiffer
        ? { copyOf: async () => (await jsm.streams.info(names.stream)).cluster?.leader }
        : {}),
      lost: this.#lost.signal,
      lose: (why) => this.#lose(why),
    });
    this.latest = new NatsLatest(latest, {
      clock,
      ask: (question) => this.#ask(question, "latest"),
      open: openLatest,
      keys: () => keysOf(jsm, names.latestBucket),
      streamId,
    });
    connection.closed().then((error) => this.#lose(error ? whyOf(error) : "connection closed"));
    void this.#noteStatus();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  get maxEntryBytes(): number {
    return (this.#connection.info?.max_payload ?? Infinity) - ENVELOPE_BYTES;
  }

  async state(): Promise<StreamState> {
    const info = await this.#ask(() => this.#jsm.streams.info(this.#names.stream));
    const { first_seq, last_seq, bytes } = info.state;
    return { id: streamIdOf(info), first: Math.max(1, first_seq), last: last_seq, bytes };
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
    const maxBytes = this.maxEntryBytes;
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

  giveUp(reason: BrokerError): void {
    if (!this.lost.aborted) this.#lost.abort(reason);
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
    await closeInTime(this.#connection);
  }

  /** Asks under a deadline, and counts whether that part of the broker does its work. */
  async #ask<T>(question: () => Promise<T>, part: BrokerPart = "stream"): Promise<T> {
    if (this.lost.aborted) throw new BrokerError(String(this.lost.reason));
    try {
      const answer = await deadline(question(), ASK_TIMEOUT_MS, { signal: this.lost });
      this.#health.answered(part);
      return answer;
    } catch (error) {
      this.#health.failed(part, error);
      const why = this.#denied === undefined ? whyOf(error) : `${whyOf(error)}; ${this.#denied}`;
      throw new BrokerError(why, { cause: error });
    }
  }

  #lose(why: string): void {
    this.giveUp(new BrokerError(why));
  }

  async #noteStatus(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === "error" && status.error instanceof PermissionViolationError) {
        this.#denied = whyOf(status.error);
      }
      if (status.type === "disconnect" || status.type === "staleConnection") {
        this.#lose(status.type === "disconnect" ? "connection lost" : "it does not answer pings");
      }
    }
  }
}

/** Ends a connection, whatever the other side thinks of it. */
async function closeInTime(connection: NatsConnection): Promise<void> {
  await deadline(connection.close(), ASK_TIMEOUT_MS).catch(() => {});
}
