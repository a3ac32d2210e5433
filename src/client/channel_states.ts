import type { ErrorEvent } from "../protocol/error_event.ts";
import type { StatusData } from "../protocol/status_data.ts";
import { type ClientClock, type ClientMoment, elapsedMs, momentBy } from "./time.ts";

/** Why every channel is stale while there is no connection. */
export const HUB_UNREACHABLE = "hub unreachable";

interface SeenValue<T, Channel extends string> {
  readonly channel: Channel;
  readonly data: T;
  /** When the backend gave the value, in unix seconds. */
  readonly cachedAt: number;
  /** The value's age in milliseconds, whenever it is read: the object stays, its age goes on. */
  readonly ageMs: number;
}

/** The hub's latest word is this value, and it calls it fresh. */
export interface LiveChannel<T = unknown, Channel extends string = string>
  extends SeenValue<T, Channel> {
  readonly kind: "live";
}

/** A value from before, which may no longer be true. */
export interface StaleChannel<T = unknown, Channel extends string = string>
  extends SeenValue<T, Channel> {
  readonly kind: "stale";
  readonly why: string;
  /** Since when it has been stale as far as this client knows, in unix seconds. */
  readonly staleSince: number;
  /** For how long, in milliseconds, whenever it is read. */
  readonly staleForMs: number;
  /** The hub's own account, where it gave one. */
  readonly error?: ErrorEvent;
}

/** No value has come yet. */
export interface NeverSeenChannel<Channel extends string = string> {
  readonly kind: "never_seen";
  readonly channel: Channel;
  readonly why: string;
}

/** What is known of a status channel at one moment. */
export type ChannelState<T = unknown, Channel extends string = string> =
  | LiveChannel<T, Channel>
  | StaleChannel<T, Channel>
  | NeverSeenChannel<Channel>;

interface ChannelEntry {
  readonly status: StatusData;
  readonly receivedAt: ClientMoment;
  readonly stale?: { readonly why: string; readonly sinceMs: number; readonly since: number };
  /** What is shown of it: one object until something changes, so that views may compare it. */
  readonly state: ChannelState;
}

/** Most channels without a value whose state is kept; past it, all are forgotten and made anew. */
const MAX_NEVER_SEEN = 256;

/**
 * The last value of every status channel with the truth about it. Holds as many entries as there
 * are channels.
 */
export class ChannelStates {
  readonly #entries = new Map<string, ChannelEntry>();
  readonly #neverSeen = new Map<string, NeverSeenChannel>();
  readonly #clock: ClientClock;

  constructor(clock: ClientClock) {
    this.#clock = clock;
  }

  /** Every channel a value came on. */
  get channels(): string[] {
    return [...this.#entries.keys()];
  }

  store(channel: string, status: StatusData): void {
    const entry = { status, receivedAt: momentBy(this.#clock) };
    if (!status.is_stale) {
      this.#set(channel, entry);
      return;
    }
    const why = status.error?.message ?? "the hub says so";
    const since = this.#entries.get(channel)?.stale ?? this.#moment(0);
    this.#set(channel, { ...entry, stale: { ...since, why } });
  }

  /**
   * Marks a channel stale; what was stale already stays so since then.
   *
   * @param agoMs How long ago it became so, in milliseconds.
   */
  markStale(channel: string, why: string, agoMs = 0): void {
    const entry = this.#entries.get(channel);
    if (entry === undefined || entry.stale?.why === why) return;
    const since = entry.stale ?? this.#moment(agoMs);
    this.#set(channel, { ...entry, stale: { ...since, why } });
  }

  /**
   * The channel as it stands: the same object until that changes. `whyNever` explains a channel no
   * value came on.
   */
  read(channel: string, whyNever: string): ChannelState {
    return this.#entries.get(channel)?.state ?? this.#neverSeenState(channel, whyNever);
  }

  #neverSeenState(channel: string, why: string): NeverSeenChannel {
    const known = this.#neverSeen.get(channel);
    if (known?.why === why) return known;
    if (this.#neverSeen.size >= MAX_NEVER_SEEN) this.#neverSeen.clear();
    const state: NeverSeenChannel = { kind: "never_seen", channel, why };
    this.#neverSeen.set(channel, state);
    return state;
  }

  #set(channel: string, entry: Omit<ChannelEntry, "state">): void {
    this.#entries.set(channel, { ...entry, state: stateOf(channel, entry, this.#clock) });
    this.#neverSeen.delete(channel);
  }

  #moment(agoMs: number): { sinceMs: number; since: number } {
    return {
      sinceMs: this.#clock.now() - agoMs,
      since: this.#clock.unixSeconds() - Math.round(agoMs / 1000),
    };
  }
}

/** The state of a channel with a value. Ages are read from the clock by whoever looks at them. */
function stateOf(
  channel: string,
  { status, receivedAt, stale }: Omit<ChannelEntry, "state">,
  clock: ClientClock,
): ChannelState {
  const seen = {
    channel,
    data: status.data,
    cachedAt: status.cached_at,
    get ageMs(): number {
      return Math.round(status.age_ms + elapsedMs(clock, receivedAt));
    },
  };
  if (stale === undefined) return withMembers({ kind: "live" } as const, seen);
  const standing = {
    why: stale.why,
    staleSince: stale.since,
    get staleForMs(): number {
      return Math.round(clock.now() - stale.sinceMs);
    },
    ...(status.error === undefined ? {} : { error: status.error }),
  };
  return withMembers(withMembers({ kind: "stale" } as const, seen), standing);
}

/** Adds the members of another object, getters as getters, where a spread would read them once. */
function withMembers<A extends object, B extends object>(to: A, from: B): A & B {
  return Object.defineProperties(to, Object.getOwnPropertyDescriptors(from)) as A & B;
}
