import type { JsonText } from "../protocol/codec.ts";
import type { StatusData } from "../protocol/status_data.ts";
import { type Clock, type Moment, momentOf } from "../resilience/clock.ts";
import { type ChannelSettings, UNCONFIGURED } from "./channel_settings.ts";
import { ChannelValue } from "./channel_value.ts";
import { whyStale } from "./staleness.ts";
import {
  MAX_VALUE_LENGTH,
  type NewValue,
  type PutResult,
  type ValueCopy,
  type ValueOrigin,
  type ValueRecord,
} from "./value.ts";
import { type StandingChange, type ValueListener, ValueListeners } from "./value_listeners.ts";

/**
 * The least time between two looks that counts as a standstill of the process or of the machine, in
 * milliseconds. While a hub runs it looks every second: see `age_watch.ts`.
 */
export const STANDSTILL_MS = 5000;

export interface ValueStoreOptions {
  clock: Pick<Clock, "now" | "unixMs">;
  /** A listener threw; the others are told all the same. Default: it is ignored. */
  onListenerFailed?: (error: unknown) => void;
}

type Cause = StandingChange["cause"];

/**
 * The one owner of a status channel's value and of the truth about it: its text, its age, and
 * whether it still holds. Polls, the stream that hubs share, publishers and an earlier life of the
 * hub write into it; everything that is shown is read from it. Of two values the newer one wins,
 * whichever way it came. Holds one value for each channel.
 *
 * @example
 * ```ts
 * const values = new ValueStore({ clock });
 * values.configure(new Map([["system_status", { feeder: { kind: "backend", backend: "core" }, staleAfterMs: 15_000 }]]));
 * const calledAt = momentOf(clock);
 * values.put("system_status", { text: await call(), calledAt, origin: "poll" });
 * values.doubt("system_status", "the last poll failed");
 * values.read("system_status"); // { data, is_stale: true, cached_at, age_ms, error }
 * ```
 */
export class ValueStore {
  readonly #clock: ValueStoreOptions["clock"];
  readonly #channels = new Map<string, ChannelValue>();
  /**
   * How many different values each channel has had. Kept when a channel goes, so that a number never
   * means two values; there are as many as there ever were channels.
   */
  readonly #revisions = new Map<string, number>();
  readonly #distrusted = new Map<ValueOrigin, string>();
  readonly #listeners: ValueListeners;
  /**
   * Most bytes of a value that this hub finds out by itself: others are to have it too. What is larger
   * is not kept. Default: no bound but {@linkcode MAX_VALUE_LENGTH}.
   */
  maxBytes = Infinity;
  #lookedAt: Moment | undefined;

  constructor({ clock, onListenerFailed }: ValueStoreOptions) {
    this.#clock = clock;
    this.#listeners = new ValueListeners(onListenerFailed);
  }

  /** Tells of values and of how they stand, until disposed of. */
  subscribe(listener: ValueListener): Disposable {
    return this.#listeners.add(listener);
  }

  /**
   * Puts these channels' settings into force. What a channel holds that stays is kept; one that was
   * configured and is no more is retired.
   */
  configure(settings: ReadonlyMap<string, ChannelSettings>): void {
    for (const { name, settings: before } of [...this.#channels.values()]) {
      if (before !== UNCONFIGURED && !settings.has(name)) this.retire(name);
    }
    for (const [name, each] of settings) this.#channel(name).settings = each;
    this.#settleAll("settings");
  }

  settings(name: string): ChannelSettings {
    return this.#channels.get(name)?.settings ?? UNCONFIGURED;
  }

  /** Those of all configured channels. */
  allSettings(): [name: string, settings: ChannelSettings][] {
    return [...this.#channels.values()].filter(({ settings }) => settings !== UNCONFIGURED)
      .map(({ name, settings }) => [name, settings]);
  }

  /** The text of a channel's value; undefined if it never had one. */
  text(name: string): JsonText | undefined {
    return this.#channels.get(name)?.text;
  }

  /** Channels for which this backend is asked. */
  fedBy(backend: string): string[] {
    return [...this.#channels.values()]
      .filter(({ settings: { feeder } }) => feeder.kind === "backend" && feeder.backend === backend)
      .map(({ name }) => name);
  }

  /** Channels that have a value. */
  channels(): string[] {
    return [...this.#channels.values()].filter(({ hasValue }) => hasValue).map(({ name }) => name);
  }

  /** Takes a value, unless a newer one is there. */
  put(name: string, value: NewValue): PutResult {
    const now = this.#now();
    const channel = this.#channel(name);
    const { text } = channel;
    if (value.origin !== "stream" && this.whyTooLarge(value.text) !== undefined) return "too_large";
    const result = channel.put(value, now);
    if (result !== "stored") return result;
    if (text !== value.text) this.#revisions.set(name, this.revision(name) + 1);
    this.#listeners.tellValue(name);
    this.#settle(channel, now, "value");
    return result;
  }

  /** Why a value of this text cannot be kept; undefined if it can. */
  whyTooLarge(text: JsonText): string | undefined {
    if (text.length > MAX_VALUE_LENGTH) return `it is longer than ${MAX_VALUE_LENGTH} characters`;
    // A character is three bytes at most: seldom do they have to be counted.
    if (text.length * 3 <= this.maxBytes) return undefined;
    const bytes = new TextEncoder().encode(text).length;
    if (bytes <= this.maxBytes) return undefined;
    return `it is ${bytes} bytes, and hubs can share ${this.maxBytes} (max_payload of NATS)`;
  }

  /**
   * Whatever the channel's value is, it may hold no more: it is stale until a newer one comes.
   *
   * @param options.keepsReason Leaves the reason of an earlier doubt. Default: the newest counts.
   */
  doubt(name: string, why: string, { keepsReason = false } = {}): void {
    const now = this.#now();
    const channel = this.#channel(name);
    if (channel.doubt !== undefined && keepsReason) return;
    channel.raiseDoubt(why);
    this.#settle(channel, now, "doubt");
  }

  /** Why a channel is in doubt; undefined while it is not. */
  doubtOf(name: string): string | undefined {
    return this.#channels.get(name)?.doubt;
  }

  /** Whatever came this way may hold no more, until the way is trusted again. */
  distrust(origin: ValueOrigin, why: string): void {
    this.#distrusted.set(origin, why);
    this.#settleAll("doubt");
  }

  /** What came this way is as good as it was. */
  trust(origin: ValueOrigin): void {
    if (this.#distrusted.delete(origin)) this.#settleAll("doubt");
  }

  /** The channel's value, flagged as it stands now; undefined if it never had one. */
  read(name: string): StatusData<JsonText> | undefined {
    const now = this.#now();
    const channel = this.#channels.get(name);
    return channel?.statusAt(now, channel.stalenessAt(now, this.#distrusted));
  }

  /** Counts the different values of a channel: 0 before the first. */
  revision(name: string): number {
    return this.#revisions.get(name) ?? 0;
  }

  /**
   * Nothing feeds this channel any more: it is forgotten. Returns its last word, which its clients
   * should hear; undefined if it had no value.
   */
  retire(name: string): StatusData<JsonText> | undefined {
    const now = this.#now();
    const channel = this.#channels.get(name);
    if (channel === undefined) return undefined;
    this.#channels.delete(name);
    const { feeder } = channel.settings;
    const status = channel.statusAt(now, { kind: "removed" });
    this.#listeners.tellStanding({
      channel: name,
      standing: "retired",
      cause: "settings",
      feeder,
      status,
      why: whyStale({ kind: "removed" }, feeder),
    });
    return status;
  }

  /** Looks at the clocks and tells of what grew old. To be called all the time. */
  look(): void {
    this.#lookedAt ??= momentOf(this.#clock);
    const now = this.#now();
    this.#lookedAt = now;
    this.#settleAll("time", now);
  }

  /** Milliseconds until the channel's value grows old; `Infinity` if it does not, or is stale. */
  untilOldMs(name: string): number {
    const channel = this.#channels.get(name);
    return channel?.told === "fresh" ? Math.max(0, channel.untilOldMs(this.#now())) : Infinity;
  }

  /** Milliseconds until the first of all values grows old. */
  untilNextOldMs(): number {
    let nextMs = Infinity;
    for (const name of this.#channels.keys()) nextMs = Math.min(nextMs, this.untilOldMs(name));
    return nextMs;
  }

  /** What a later life of the hub needs to go on from a channel's value. */
  record(name: string): ValueRecord | undefined {
    const kept = this.#channels.get(name)?.keptAt(this.#now());
    return kept && { ...kept, revision: this.revision(name) };
  }

  /** Records of all channels that have a value. */
  records(): ValueRecord[] {
    return this.channels().flatMap((name) => this.record(name) ?? []);
  }

  /**
   * Takes a value of an earlier life of the hub, with its true age. What a backend gave is stale until
   * it is asked again.
   */
  restore(record: ValueRecord): PutResult {
    const { channel: name, text, revision, called_at_ms, age_ms, valid_for_ms } = record;
    const { monotonicMs, unixMs } = this.#now();
    const ageMs = Math.max(age_ms, unixMs - called_at_ms);
    const result = this.put(name, {
      text,
      calledAt: { monotonicMs: monotonicMs - ageMs, unixMs: called_at_ms },
      origin: "restored",
      ...(valid_for_ms === undefined ? {} : { validForMs: valid_for_ms }),
    });
    this.#revisions.set(name, Math.max(this.revision(name), revision));
    return result;
  }

  /** All that is needed to show a channel's value elsewhere; undefined while there is none. */
  copy(name: string): ValueCopy | undefined {
    const copy = this.#channels.get(name)?.copy(this.#distrusted);
    return copy && { ...copy, revision: this.revision(name) };
  }

  /** Takes a channel's value as another store has it, in place of what is here. */
  adopt({ channel: name, settings, text, revision, began, validForMs, doubt }: ValueCopy): void {
    const channel = new ChannelValue(name, settings ?? UNCONFIGURED);
    channel.put({
      text,
      calledAt: began,
      origin: "stream",
      ...(validForMs === undefined ? {} : { validForMs }),
      ...(doubt === undefined ? {} : { doubt }),
    }, this.#now());
    this.#channels.set(name, channel);
    this.#revisions.set(name, revision);
  }

  #channel(name: string): ChannelValue {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      channel = new ChannelValue(name, UNCONFIGURED);
      this.#channels.set(name, channel);
    }
    return channel;
  }

  /** This moment. The first one after a standstill puts in doubt what backends gave before it. */
  #now(): Moment {
    const now = momentOf(this.#clock);
    const before = this.#lookedAt ?? now;
    const stoodStillMs = Math.max(now.monotonicMs - before.monotonicMs, now.unixMs - before.unixMs);
    if (stoodStillMs < STANDSTILL_MS) return now;
    this.#lookedAt = now;
    const why = `the hub stood still for ${Math.round(stoodStillMs)} ms`;
    for (const channel of this.#channels.values()) {
      // No publish could come in meanwhile: published values are judged by age alone.
      if (!channel.hasValue || channel.settings.feeder.kind !== "backend") continue;
      channel.raiseDoubt(channel.doubt ?? why, now.monotonicMs);
    }
    this.#settleAll("time", now);
    return now;
  }

  #settleAll(cause: Cause, now = this.#now()): void {
    for (const channel of [...this.#channels.values()]) {
      channel.look(now);
      this.#settle(channel, now, cause);
    }
  }

  /** Tells listeners if the channel stands otherwise than they were told. */
  #settle(channel: ChannelValue, now: Moment, cause: Cause): void {
    this.#listeners.tellLooked(channel.name);
    const staleness = channel.stalenessAt(now, this.#distrusted);
    if (!channel.hasValue && staleness === undefined) return;
    const standing = staleness === undefined ? "fresh" : "stale";
    if (channel.told === standing) return;
    channel.told = standing;
    const { name, settings: { feeder } } = channel;
    this.#listeners.tellStanding({
      channel: name,
      standing,
      cause,
      feeder,
      status: channel.statusAt(now, staleness),
      ...(staleness === undefined ? {} : { why: whyStale(staleness, feeder) }),
    });
  }
}
