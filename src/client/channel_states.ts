import type { ErrorEvent } from "../protocol/error_event.ts";
import type { StatusData } from "../protocol/status_data.ts";
import type { ClientClock } from "./time.ts";

/** Why every channel is stale while there is no connection. */
export const HUB_UNREACHABLE = "hub unreachable";

interface SeenValue<T> {
  readonly channel: string;
  readonly data: T;
  /** When the backend gave the value, in unix seconds. */
  readonly cachedAt: number;
  /** The value's age at this moment, in milliseconds. */
  readonly ageMs: number;
}

/** The hub's latest word is this value, and it calls it fresh. */
export interface LiveChannel<T = unknown> extends SeenValue<T> {
  readonly kind: "live";
}

/** A value from before, which may no longer be true. */
export interface StaleChannel<T = unknown> extends SeenValue<T> {
  readonly kind: "stale";
  readonly why: string;
  /** Since when it has been stale as far as this client knows, in unix seconds. */
  readonly staleSince: number;
  /** For how long, in milliseconds. */
  readonly staleForMs: number;
  /** The hub's own account, where it gave one. */
  readonly error?: ErrorEvent;
}

/** No value has come yet. */
export interface NeverSeenChannel {
  readonly kind: "never_seen";
  readonly channel: string;
  readonly why: string;
}

/** What is known of a status channel at one moment. */
export type ChannelState<T = unknown> = LiveChannel<T> | StaleChannel<T> | NeverSeenChannel;

interface ChannelEntry {
  readonly status: StatusData;
  /** Monotonic milliseconds. */
  readonly receivedAt: number;
  readonly stale?: { readonly why: string; readonly sinceMs: number; readonly since: number };
}

/**
 * The last value of every status channel with the truth about it. Holds as many entries as there
 * are channels.
 */
export class ChannelStates {
  readonly #entries = new Map<string, ChannelEntry>();
  readonly #clock: ClientClock;

  constructor(clock: ClientClock) {
    this.#clock = clock;
  }

  /** Every channel a value came on. */
  get channels(): string[] {
    return [...this.#entries.keys()];
  }

  store(channel: string, status: StatusData): void {
    const entry: ChannelEntry = { status, receivedAt: this.#clock.now() };
    if (!status.is_stale) {
      this.#entries.set(channel, entry);
      return;
    }
    const why = status.error?.message ?? "the hub says so";
    const since = this.#entries.get(channel)?.stale ?? this.#moment(0);
    this.#entries.set(channel, { ...entry, stale: { ...since, why } });
  }

  /**
   * Marks a channel stale; what was stale already stays so since then.
   *
   * @param agoMs How long ago it became so, in milliseconds.
   */
  markStale(channel: string, why: string, agoMs = 0): void {
    const entry = this.#entries.get(channel);
    if (entry === undefined) return;
    const since = entry.stale ?? this.#moment(agoMs);
    this.#entries.set(channel, { ...entry, stale: { ...since, why } });
  }

  /** The channel as it stands now. `whyNever` explains a channel no value came on. */
  read(channel: string, whyNever: string): ChannelState {
    const entry = this.#entries.get(channel);
    if (entry === undefined) return { kind: "never_seen", channel, why: whyNever };
    const { status, receivedAt, stale } = entry;
    const now = this.#clock.now();
    const seen: SeenValue<unknown> = {
      channel,
      data: status.data,
      cachedAt: status.cached_at,
      ageMs: Math.round(status.age_ms + now - receivedAt),
    };
    if (stale === undefined) return { kind: "live", ...seen };
    return {
      kind: "stale",
      ...seen,
      why: stale.why,
      staleSince: stale.since,
      staleForMs: Math.round(now - stale.sinceMs),
      ...(status.error === undefined ? {} : { error: status.error }),
    };
  }

  #moment(agoMs: number): { sinceMs: number; since: number } {
    return {
      sinceMs: this.#clock.now() - agoMs,
      since: this.#clock.unixSeconds() - Math.round(agoMs / 1000),
    };
  }
}
