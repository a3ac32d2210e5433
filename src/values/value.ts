import type { JsonText } from "../protocol/codec.ts";
import type { ChannelSettings } from "./channel_settings.ts";
import type { Moment } from "../resilience/clock.ts";

/** Which way a value came. */
export type ValueOrigin =
  /** This hub's own poll. */
  | "poll"
  /** The stream that hubs share. */
  | "stream"
  /** Somebody published it on this hub. */
  | "publisher"
  /** An earlier life of this hub. */
  | "restored";

/** A value as it comes in. */
export interface NewValue {
  readonly text: JsonText;
  /** When the call that gave it began: a value is as old as that, however late it arrives. */
  readonly calledAt: Moment;
  readonly origin: ValueOrigin;
  /** How long its publisher says that it holds, from `calledAt` on. Default: no word of that. */
  readonly validForMs?: number;
  /** Why it may not hold any more, as its sender knows. Default: it holds. */
  readonly doubt?: string;
  /**
   * It came into the stream long after it was given, so that its place there says nothing. Default:
   * the stream's values are in order.
   */
  readonly isLate?: boolean;
}

/** What became of a value. */
export type PutResult =
  | "stored"
  /** A newer one is there already. */
  | "older"
  /** Longer than can be sent, or shared: see `ValueStore.whyTooLarge`. */
  | "too_large";

/**
 * Longest text of a value, in UTF-16 units. Frames, batches and snapshots put values together into
 * one string, and the engine's strings end at 2^29; clients take messages of 63 MiB at most. A longer
 * value is not stored: what cannot be sent is not kept, and the channel keeps the last good one.
 */
export const MAX_VALUE_LENGTH = 64 * 1024 * 1024;

/** A channel's value as another thread shows it, flagged as this one would; plain data. */
export interface ValueCopy {
  readonly channel: string;
  /** Absent for a channel that is not configured. */
  readonly settings?: ChannelSettings;
  readonly text: JsonText;
  readonly revision: number;
  /** When the call that gave it began. */
  readonly began: Moment;
  readonly validForMs?: number;
  /** Why it may hold no more, whatever its age is. Absent: it is judged by its age. */
  readonly doubt?: string;
}

/** What a later life of the hub needs to go on from a channel's value; plain JSON. */
export interface ValueRecord {
  readonly channel: string;
  readonly text: JsonText;
  readonly revision: number;
  /** When the call that gave it began, in unix milliseconds. */
  readonly called_at_ms: number;
  /** How old it was when the record was made: it is not younger later, whatever the clock says. */
  readonly age_ms: number;
  readonly valid_for_ms?: number;
}
