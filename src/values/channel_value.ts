import type { JsonText } from "../protocol/codec.ts";
import type { StatusData } from "../protocol/status_data.ts";
import type { Moment } from "../resilience/clock.ts";
import { Age } from "./age.ts";
import { type ChannelSettings, UNCONFIGURED } from "./channel_settings.ts";
import { staleError, type Staleness } from "./staleness.ts";
import type { NewValue, PutResult, ValueCopy, ValueOrigin } from "./value.ts";

/** Why ways by which values come are not trusted just now. */
export type Distrusted = ReadonlyMap<ValueOrigin, string>;

interface Held {
  readonly text: JsonText;
  readonly age: Age;
  readonly validForMs: number;
  origin: ValueOrigin;
}

interface Doubt {
  readonly why: string;
  /** Only a value asked for since takes it away; on the scale of {@linkcode Age.beganMs}. */
  readonly sinceMs: number;
}

/** The wall clock counts whole milliseconds: what began this close together cannot be told apart. */
const RESOLUTION_MS = 1;

/** The value of one channel, what is doubted of it, and how it stands. Owns no clock. */
export class ChannelValue {
  readonly name: string;
  settings: ChannelSettings;
  /** How it stood when listeners were last told. */
  told: "fresh" | "stale" | undefined;
  #held: Held | undefined;
  #doubt: Doubt | undefined;

  constructor(name: string, settings: ChannelSettings) {
    this.name = name;
    this.settings = settings;
  }

  get hasValue(): boolean {
    return this.#held !== undefined;
  }

  get text(): JsonText | undefined {
    return this.#held?.text;
  }

  /** Why it is in doubt; undefined while it is not. */
  get doubt(): string | undefined {
    return this.#doubt?.why;
  }

  /** Takes a value unless a newer one is there. One that was asked for since takes a doubt away. */
  put(value: NewValue, now: Moment): Exclude<PutResult, "too_large"> {
    const { text, calledAt, origin, validForMs = Infinity, doubt, isLate = false } = value;
    const age = new Age(calledAt, now);
    const held = this.#held;
    if (held !== undefined) {
      held.age.look(now);
      const mayBeKnown = origin === "stream" || held.origin !== origin;
      if (mayBeKnown && held.text === text && held.age.beganUnixMs === age.beganUnixMs) {
        held.origin = origin; // the same value once more, or another way: it shows nothing new
        if (doubt !== undefined) this.raiseDoubt(doubt);
        return "stored";
      }
      // The stream has an order of its own, whatever its writers' clocks say.
      const isInOrder = held.origin === "stream" && origin === "stream" && !isLate;
      if (!isInOrder && held.age.beganMs > age.beganMs + RESOLUTION_MS) return "older";
    }
    this.#held = { text, age, validForMs, origin };
    const doubtedSinceMs = this.#doubt?.sinceMs ?? -Infinity;
    if (age.beganMs + RESOLUTION_MS >= doubtedSinceMs) this.#doubt = undefined;
    if (doubt !== undefined) this.raiseDoubt(doubt);
    return "stored";
  }

  /** Doubts it until a newer value comes: with `sinceMs`, one that was asked for since then. */
  raiseDoubt(why: string, sinceMs = this.#doubt?.sinceMs ?? -Infinity): void {
    this.#doubt = { why, sinceMs };
  }

  /** Takes note of how the clocks stand. */
  look(now: Moment): void {
    this.#held?.age.look(now);
  }

  /** Milliseconds until it grows old; `Infinity` if never, negative if it has. */
  untilOldMs(now: Moment): number {
    return this.#held === undefined ? Infinity : this.#limitMs(this.#held) - this.#held.age.ms(now);
  }

  /** Why it is stale, or why there is none; undefined if it is fresh, or if it was never tried. */
  stalenessAt(now: Moment, distrusted: Distrusted): Staleness | undefined {
    const held = this.#held;
    const why = this.#whyDoubted(distrusted);
    if (why !== undefined) return { kind: "doubted", why };
    if (held === undefined) return undefined;
    const ageMs = held.age.ms(now);
    if (ageMs < this.#limitMs(held)) return undefined;
    return held.validForMs <= this.settings.staleAfterMs
      ? { kind: "expired", validForMs: held.validForMs }
      : { kind: "old", ageMs };
  }

  /** What clients are told of it; undefined while there is none. */
  statusAt(
    now: Moment,
    staleness: Staleness | undefined,
  ): StatusData<JsonText> | undefined {
    if (this.#held === undefined) return undefined;
    const { name: channel, settings: { feeder } } = this;
    const { text, age } = this.#held;
    const status = {
      data: text,
      is_stale: staleness !== undefined,
      cached_at: Math.floor(age.beganUnixMs / 1000),
      age_ms: age.ms(now),
    };
    if (staleness === undefined) return status;
    const timestamp = Math.floor(now.unixMs / 1000);
    return { ...status, error: staleError(staleness, { channel, feeder, timestamp }) };
  }

  /** All that is needed to show it elsewhere; undefined while there is none. */
  copy(distrusted: Distrusted): Omit<ValueCopy, "revision"> | undefined {
    if (this.#held === undefined) return undefined;
    const { text, age: { beganMs, beganUnixMs }, validForMs } = this.#held;
    const { settings } = this;
    const doubt = this.#whyDoubted(distrusted);
    return {
      channel: this.name,
      text,
      began: { monotonicMs: beganMs, unixMs: beganUnixMs },
      ...(settings === UNCONFIGURED ? {} : { settings }),
      ...(validForMs === Infinity ? {} : { validForMs }),
      ...(doubt === undefined ? {} : { doubt }),
    };
  }

  /** What is kept of it for a later life of the hub. */
  keptAt(now: Moment) {
    if (this.#held === undefined) return undefined;
    const { text, age, validForMs } = this.#held;
    return {
      channel: this.name,
      text,
      called_at_ms: age.beganUnixMs,
      age_ms: age.ms(now),
      ...(validForMs === Infinity ? {} : { valid_for_ms: validForMs }),
    };
  }

  #whyDoubted(distrusted: Distrusted): string | undefined {
    const held = this.#held;
    const why = (held && distrusted.get(held.origin)) ?? this.#doubt?.why;
    if (why !== undefined) return why;
    // What was published is judged by its age alone, as ever: it cannot be polled again.
    return held?.origin === "restored" && this.settings.feeder.kind === "backend"
      ? "the hub was restarted and has had no newer value since"
      : undefined;
  }

  #limitMs({ validForMs }: Held): number {
    return Math.min(this.settings.staleAfterMs, validForMs);
  }
}
