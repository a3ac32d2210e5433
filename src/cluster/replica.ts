import type { JsonText } from "../protocol/codec.ts";
import { errorEvent } from "../protocol/error_event.ts";
import type { StatusData } from "../protocol/status_data.ts";
import type { Clock } from "../resilience/clock.ts";
import type { Broadcast } from "./entry.ts";

/** What a hub that begins to poll goes on from. */
export interface Inheritance {
  /** The last good values. */
  readonly values: ReadonlyMap<string, StatusData<JsonText>>;
  /** Backends that clients were told are not polled, and not yet that they are again. */
  readonly backendsOut: ReadonlySet<string>;
}

/** A source, as far as what it gives can grow old. */
export interface FedChannel {
  readonly channel: string;
  readonly backend: string;
  readonly staleAfterMs: number;
}

export interface ReplicaOptions {
  clock: Clock;
  /** The channels that sources feed; whichever hub polls them, all are configured alike. */
  fed: () => readonly FedChannel[];
  /** A value grew old, and nothing was said of it. */
  onOld: (channel: string) => void;
}

/** What is looked at of a broadcast. */
type Draft = Pick<Broadcast, "type" | "status" | "data" | "code">;

interface Held {
  readonly seq: number;
  readonly data: JsonText;
  readonly status: Omit<StatusData<unknown>, "data">;
  /** When it was heard of, in monotonic milliseconds. */
  readonly heardAt: number;
  /** Why it is not current any more, whatever it says of itself. */
  doubt?: string;
  ageWatch?: AbortController;
}

/**
 * The latest value of each channel as the shared stream has it, with the truth about its age: a
 * value whose hub fell silent grows old here as it would have there.
 */
export class Replica implements Disposable {
  readonly #options: ReplicaOptions;
  readonly #held = new Map<string, Held>();
  /** Backends whose breaker was heard to open and not yet to close. */
  readonly #out = new Set<string>();
  #unreachable: string | undefined;

  constructor(options: ReplicaOptions) {
    this.#options = options;
  }

  /** Backends that clients were told are not polled, and not yet that they are again. */
  get backendsOut(): ReadonlySet<string> {
    return this.#out;
  }

  /** Takes note of a broadcast of the stream. */
  hear(seq: number, { type, status, data, code }: Draft): void {
    if (status !== undefined) this.#hold(type, { seq, data, status });
    else if (code !== undefined) this.#hearError(seq, code, data);
  }

  /**
   * Takes note of a broadcast that may be from long ago, of one older than what is known even: a
   * value's age is told by the wall clock, as nothing else is left to tell it by.
   */
  recall(seq: number, broadcast: Broadcast): void {
    const { type, status } = broadcast;
    if (status === undefined) return this.hear(seq, broadcast);
    if ((this.#held.get(type)?.seq ?? -1) >= seq) return;
    const age_ms = Math.max(0, (this.#options.clock.unixSeconds() - status.cached_at) * 1000);
    this.hear(seq, { ...broadcast, status: { ...status, age_ms } });
  }

  /** Takes note of what this hub found out by itself; the stream goes on from there. */
  note({ type, status, data, code }: Draft): void {
    const seq = this.#held.get(type)?.seq ?? 0;
    if (status !== undefined) this.#hold(type, { seq, data, status });
    else if (code !== undefined) this.#hearError(Infinity, code, data);
  }

  /** The latest value, flagged as it stands now. */
  latest(channel: string): StatusData<JsonText> | undefined {
    const held = this.#held.get(channel);
    if (held === undefined) return undefined;
    const { clock } = this.#options;
    const { data, status: { cached_at, error, ...status } } = held;
    const age_ms = status.age_ms + Math.max(0, Math.round(clock.now() - held.heardAt));
    const why = this.#unreachable ?? held.doubt ?? this.#whyOld(channel, age_ms);
    if (status.is_stale && error !== undefined && this.#unreachable === undefined) {
      return { data, is_stale: true, cached_at, age_ms, error };
    }
    if (why === undefined) return { data, is_stale: status.is_stale, cached_at, age_ms };
    const unavailable = errorEvent("RPC_UNAVAILABLE", `the value of "${channel}" is a cached one`, {
      timestamp: clock.unixSeconds(),
      details: why,
      data: { channel, ...this.#backendOf(channel) },
    });
    return { data, is_stale: true, cached_at, age_ms, error: unavailable };
  }

  /** All there is to go on from, for the hub that polls. */
  inheritance(): Inheritance {
    const values = new Map<string, StatusData<JsonText>>();
    for (const channel of this.channels()) {
      const latest = this.latest(channel);
      if (latest) values.set(channel, latest);
    }
    return { values, backendsOut: this.#out };
  }

  channels(): string[] {
    return [...this.#held.keys()];
  }

  /** While the stream is out of reach nothing that is held can be called current. */
  set unreachable(why: string | undefined) {
    this.#unreachable = why;
  }

  /** What comes next is another stream, in which the numbers of this one say nothing. */
  renumber(): void {
    for (const [channel, held] of this.#held) this.#held.set(channel, { ...held, seq: 0 });
  }

  [Symbol.dispose](): void {
    for (const held of this.#held.values()) held.ageWatch?.abort();
  }

  #hold(channel: string, value: Pick<Held, "seq" | "data" | "status">): void {
    this.#held.get(channel)?.ageWatch?.abort();
    const held: Held = { ...value, heardAt: this.#options.clock.now() };
    this.#held.set(channel, held);
    const leftMs = this.#staleAfterMs(channel) - value.status.age_ms;
    if (value.status.is_stale || leftMs === Infinity || leftMs <= 0) return;
    const watch = new AbortController();
    held.ageWatch = watch;
    this.#options.clock.sleep(leftMs, { signal: watch.signal }).then(
      () => this.#options.onOld(channel),
      () => {}, // a newer value came first
    );
  }

  #hearError(seq: number, code: string, data: JsonText): void {
    const { details, data: about } = JSON.parse(data) as {
      details?: string;
      data?: { backend?: string; channel?: string };
    };
    if (code === "RPC_FAILURE" && about?.channel !== undefined) {
      this.#doubt(about.channel, seq, details ?? "the last poll failed");
    }
    if (about?.backend === undefined) return;
    if (code === "RPC_RECOVERED") this.#out.delete(about.backend);
    if (code !== "CIRCUIT_OPEN") return;
    this.#out.add(about.backend);
    for (const { channel, backend } of this.#options.fed()) {
      if (backend !== about.backend) continue;
      this.#doubt(channel, seq, `backend "${backend}" is not answering`);
    }
  }

  /** Whatever was given before this number may be true no more. */
  #doubt(channel: string, seq: number, why: string): void {
    const held = this.#held.get(channel);
    if (held === undefined || held.seq > seq) return;
    held.doubt ??= why;
    held.ageWatch?.abort();
  }

  #whyOld(channel: string, ageMs: number): string | undefined {
    return ageMs >= this.#staleAfterMs(channel) ? `no newer value for ${ageMs} ms` : undefined;
  }

  /** What was published from outside is never called old: nobody knows whether it still holds. */
  #staleAfterMs(channel: string): number {
    return this.#fed(channel)?.staleAfterMs ?? Infinity;
  }

  #backendOf(channel: string): { backend?: string } {
    const backend = this.#fed(channel)?.backend;
    return backend === undefined ? {} : { backend };
  }

  #fed(channel: string): FedChannel | undefined {
    return this.#options.fed().find((each) => each.channel === channel);
  }
}
