import { channelKind } from "../protocol/channel.ts";
import { json, type JsonText } from "../protocol/codec.ts";
import { type ErrorEvent, errorEvent, errorType } from "../protocol/error_event.ts";
import type { StatusData } from "../protocol/status_data.ts";
import type { Clock } from "../resilience/clock.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import type { Appended, AppendOptions, Broker } from "./broker.ts";
import { type Broadcast, encodeEntry } from "./entry.ts";
import { ClusterStats } from "./cluster_stats.ts";
import { LatestKeeper } from "./latest_keeper.ts";
import type { Claimed } from "./leadership.ts";
import { ClusterUnreachable } from "./unreachable.ts";
import { type Draft, type WriteGrant, Writer } from "./stream_writer.ts";

export interface StreamPublisherOptions {
  clock: Clock;
  /** How this hub is called among the others. */
  name: string;
  /** What was published is said to stand at this place. Default: nobody looks for it. */
  onPublished?: (seq: number, text: string) => void;
  /** Where it is counted. Default: nowhere that anybody looks. */
  figures?: ClusterStats;
}

/** What one hub says to the clients of all: as their leader, or on behalf of a publisher. */
export class StreamPublisher {
  readonly #options: StreamPublisherOptions;
  readonly #log: Log = logOf("cluster");
  readonly #writer: Writer;
  readonly #keeper = new LatestKeeper();
  readonly #figures: ClusterStats;

  constructor(options: StreamPublisherOptions) {
    this.#options = options;
    this.#writer = new Writer(options.clock);
    this.#figures = options.figures ?? new ClusterStats();
  }

  /** Entries that wait to be written. */
  get waiting(): number {
    return this.#writer.size;
  }

  /**
   * Says a value of this hub's own polls.
   *
   * @param calledMs When the call that gave it began, in unix milliseconds.
   */
  say(channel: string, { data, ...status }: StatusData<JsonText>, calledMs: number): void {
    const timestamp = this.#options.clock.unixSeconds();
    this.#writer.push({ type: channel, timestamp, status, called_ms: calledMs, data });
  }

  /** Says an error of this hub's own polls. */
  sayError(event: ErrorEvent): void {
    const { code, timestamp } = event;
    this.#writer.push({ type: errorType(code), code, timestamp, data: json(event) });
  }

  /** Leads: what waits is written, and what is said from now on. */
  lead(
    broker: Broker,
    { epoch, term, seq }: Claimed,
    right: Pick<WriteGrant, "isValid" | "onFenced" | "everyMs" | "read" | "feeds">,
  ): void {
    this.#writer.take({
      ...right,
      epoch,
      term,
      hub: this.#options.name,
      fence: seq,
      append: (text, options) => this.#append(broker, text, options),
      onStored: (entry, seq) => {
        if (entry.status?.is_stale === false) this.#keep(broker, entry, seq);
      },
      onTooLarge: (draft, maxBytes) => this.#onTooLarge(draft, maxBytes),
    });
  }

  /** Repeats the claim if little was said of late. */
  refresh(options?: { isAsked: boolean }): void {
    this.#writer.refresh(options);
  }

  /** Leads no more, for now; what waits goes on waiting. */
  pause(): void {
    this.#writer.putDown();
  }

  /** Leads no more: what waits is another hub's to say, or nobody's. */
  stop(): void {
    this.#writer.putDown();
    this.#writer.clear();
  }

  /**
   * Publishes on behalf of somebody. Returns its number in the stream.
   *
   * @throws {ClusterUnreachable} If it cannot be said whether the others hear of it.
   */
  async publish(
    broker: Broker,
    draft: Draft,
    { epoch, said }: { epoch: string; said?: string },
  ): Promise<number> {
    const { name } = this.#options;
    const entry: Broadcast = {
      ...{ kind: "broadcast", epoch, hub: name },
      ...(said === undefined ? {} : { said }),
      ...draft,
    };
    const text = encodeEntry(entry);
    const appended = await this.#append(broker, text, {
      as: "anyone",
      id: said ?? crypto.randomUUID(),
    }).catch((error: Error) => {
      throw new ClusterUnreachable(error.message);
    });
    if (appended.kind === "too_large") {
      throw new ClusterUnreachable(sayTooLarge(appended.maxBytes), { isTooLarge: true });
    }
    if (appended.kind === "stored") this.#options.onPublished?.(appended.seq, text);
    if (appended.kind === "fenced") throw new ClusterUnreachable("the stream did not take it");
    if (entry.status !== undefined) this.#keep(broker, entry, appended.seq);
    return appended.seq;
  }

  /** Tells the clients of all hubs that something was lost. */
  async tellGap(broker: Broker, epoch: string): Promise<void> {
    const entry = { kind: "gap", epoch, hub: this.#options.name } as const;
    await this.#append(broker, encodeEntry(entry), { as: "anyone", id: crypto.randomUUID() });
  }

  async #append(broker: Broker, text: string, options: AppendOptions): Promise<Appended> {
    const { clock } = this.#options;
    const askedAt = clock.now();
    try {
      const appended = await broker.append(text, options);
      this.#figures.onAppended(appended, clock.now() - askedAt);
      return appended;
    } catch (error) {
      this.#figures.onUnanswered();
      throw error;
    }
  }

  #keep(broker: Broker, entry: Broadcast, seq: number): void {
    this.#keeper.keep(broker.latest, entry.type, { seq, text: encodeEntry(entry) });
  }

  /** The value stays unsaid; its channel keeps the last one, and everybody hears why. */
  #onTooLarge({ type: channel }: Draft, maxBytes: number): void {
    if (channelKind(channel) !== "status") return;
    const event = errorEvent("JSON_MARSHAL_ERROR", `a value of "${channel}" cannot be shared`, {
      timestamp: this.#options.clock.unixSeconds(),
      details: sayTooLarge(maxBytes),
      data: { channel },
    });
    this.#log.warning("cluster.too_large", { channel, code: event.code, max_bytes: maxBytes });
    this.sayError(event);
  }
}

function sayTooLarge(maxBytes: number): string {
  return `it is larger than the ${maxBytes} bytes the broker takes (max_payload of its server)`;
}
