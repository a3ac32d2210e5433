import { EVENT_CHANNEL, isErrorType } from "../../protocol/channel.ts";
import type { EncodedFrame } from "../../protocol/codec.ts";
import { RecentEvents } from "./recent_events.ts";

export interface HistoryOptions {
  /** Most frames kept; older ones go first. 0: none. */
  maxFrames: number;
  /** How long a frame is kept, in milliseconds. */
  maxAgeMs: number;
}

interface HistoryEntry {
  readonly frame: EncodedFrame;
  readonly seq: number;
  readonly at: number;
}

/** A {@linkcode History} as plain data. */
export interface HistoryRecord {
  /** `at`: when it was added, in monotonic milliseconds. */
  readonly entries: readonly { readonly frame: EncodedFrame; readonly at: number }[];
  /** By frame type, the newest number that is no longer kept. */
  readonly forgotten: readonly (readonly [type: string, seq: number])[];
  readonly startsAfter: number;
}

/** Up to which sequence numbers a client has got events, and errors. */
export interface DeliveryProgress {
  readonly events: number;
  readonly errors: number;
}

/** Whether frames of this type cannot be replaced by newer ones, and are kept for clients that resume. */
export function isKeptType(type: string): boolean {
  return type === EVENT_CHANNEL || isErrorType(type);
}

/** What a client that comes back has missed. */
export type Missed =
  | { readonly complete: true; readonly frames: readonly EncodedFrame[] }
  /** Something it would have got is no longer there. */
  | { readonly complete: false };

/**
 * The ring of broadcast frames that cannot be replaced by newer ones ({@linkcode isKeptType}), for
 * clients that resume; bounded by count and by age. Pure: it owns no clock.
 */
export class History {
  readonly #options: HistoryOptions;
  #entries: HistoryEntry[] = [];
  /** Entries before this one are gone; they are cut off now and then, all at once. */
  #start = 0;
  /** By frame type, the newest sequence number that is no longer kept. */
  readonly #forgotten = new Map<string, number>();
  /** Frames up to this number were never here. */
  #startsAfter = 0;
  readonly #recent = new RecentEvents();

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /** Frames kept. */
  get size(): number {
    return this.#entries.length - this.#start;
  }

  /** The latest events for who comes later, newest first. */
  get recentEvents(): readonly EncodedFrame[] {
    return this.#recent.list;
  }

  /** @param now Monotonic milliseconds, here and below. */
  add(frame: EncodedFrame, now: number): void {
    this.#recent.add(frame);
    if (frame.seq === undefined) return;
    this.#entries.push({ frame, seq: frame.seq, at: now });
    this.#forgetOld(now);
  }

  /**
   * Something was said after this number, under none of its own: who has not got further may have
   * missed it.
   */
  lacks(seq: number): void {
    this.#startsAfter = Math.max(this.#startsAfter, seq + 1);
  }

  /**
   * Forgets everything: from now on come frames of another numbering.
   *
   * @param startsAfter Frames of it up to this number will never be here.
   */
  restart(startsAfter: number): void {
    this.#entries = [];
    this.#start = 0;
    this.#forgotten.clear();
    this.#startsAfter = startsAfter;
  }

  /** All of it as plain data, for another hub to go on from. */
  toRecord(): HistoryRecord {
    return {
      entries: this.#entries.slice(this.#start).map(({ frame, at }) => ({ frame, at })),
      forgotten: [...this.#forgotten],
      startsAfter: this.#startsAfter,
    };
  }

  /** Goes on from what another hub had, and forgets what is here. */
  restore({ entries, forgotten, startsAfter }: HistoryRecord): void {
    this.restart(startsAfter);
    for (const [type, seq] of forgotten) this.#forgotten.set(type, seq);
    for (const { frame, at } of entries) {
      if (frame.seq !== undefined) this.#entries.push({ frame, seq: frame.seq, at });
    }
  }

  /** Takes everything out, for {@linkcode History.takeBack}. */
  setAside(): History {
    const aside = new History(this.#options);
    aside.takeBack(this);
    return aside;
  }

  /** Goes on with what was set aside, and forgets what is here. */
  takeBack(aside: History): void {
    this.restart(aside.#startsAfter);
    this.#entries = aside.#entries.slice(aside.#start);
    for (const [type, seq] of aside.#forgotten) this.#forgotten.set(type, seq);
  }

  /**
   * What a client with this progress has missed of the types it wants, in order.
   */
  missedSince(progress: DeliveryProgress, wants: (type: string) => boolean, now: number): Missed {
    this.#forgetOld(now);
    const isMissed = (type: string, seq: number) =>
      seq > (isErrorType(type) ? progress.errors : progress.events) && wants(type);
    if (Math.min(progress.events, progress.errors) < this.#startsAfter) return { complete: false };
    for (const [type, seq] of this.#forgotten) {
      if (isMissed(type, seq)) return { complete: false };
    }
    const frames: EncodedFrame[] = [];
    for (let at = this.#start; at < this.#entries.length; at++) {
      const entry = this.#entries[at];
      if (entry && isMissed(entry.frame.type, entry.seq)) frames.push(entry.frame);
    }
    return { complete: true, frames };
  }

  #forgetOld(now: number): void {
    const { maxFrames, maxAgeMs } = this.#options;
    while (this.size > 0) {
      const oldest = this.#entries[this.#start];
      if (oldest === undefined) break;
      if (this.size <= maxFrames && now - oldest.at <= maxAgeMs) break;
      this.#forgotten.set(oldest.frame.type, oldest.seq);
      this.#start += 1;
    }
    if (this.#start > this.#entries.length / 2) {
      this.#entries = this.#entries.slice(this.#start);
      this.#start = 0;
    }
  }
}
