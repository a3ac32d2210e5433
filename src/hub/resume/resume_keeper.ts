import type { JsonText } from "../../protocol/codec.ts";
import type { ErrorCode } from "../../protocol/error_event.ts";
import type { Clock } from "../../resilience/clock.ts";
import type { DeliveryRecord } from "./delivery_log.ts";
import type { StreamPosition } from "./sequence.ts";

/** How far an epoch has come, as kept for another life of the hub. */
export interface KeptPosition {
  readonly epoch: string;
  /** No number up to this one is given out again. */
  readonly upTo: number;
  /** Number of the newest frame that is kept; 0 if there was none. */
  readonly lastFrame: number;
  /** Up to this number, a client that is not remembered may have got less than its number says. */
  readonly forgottenUpTo: number;
}

/** A frame for clients that resume. */
export interface KeptFrame {
  readonly type: string;
  readonly seq: number;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly data: JsonText;
  /** Number of the frame that was kept before; 0 if there was none. */
  readonly previous: number;
}

/** A client that left, and what it is to hear when it comes back. */
export interface KeptSession {
  readonly closedWith?: ErrorCode;
  readonly progress: DeliveryRecord;
  /** When it left, in unix milliseconds. */
  readonly leftMs: number;
}

/** Takes what another life of the hub has to know, before anybody hears of it. */
export interface ResumeKeeper {
  keep(position: KeptPosition, frame?: KeptFrame): void;
  session(id: string, session: KeptSession | undefined): void;
}

/** What an earlier life of the hub left. */
export interface ResumePast {
  readonly position: KeptPosition;
  /** In the order of their numbers. */
  readonly frames: readonly KeptFrame[];
  readonly sessions: ReadonlyMap<string, KeptSession>;
}

/**
 * Numbers that are set apart at a time: a life that ends without a word leaves so many unused at
 * most, and none is given out twice.
 */
const SET_APART = 1000;

/** Has the position kept, so that an epoch goes on in another life of the hub. */
export class PositionKeeper {
  readonly #keeper: ResumeKeeper;
  readonly #forgottenUpTo: () => number;
  #position: KeptPosition;

  constructor(
    keeper: ResumeKeeper,
    { start, forgottenUpTo }: { start: KeptPosition; forgottenUpTo: () => number },
  ) {
    this.#keeper = keeper;
    this.#position = start;
    this.#forgottenUpTo = forgottenUpTo;
  }

  get position(): KeptPosition {
    return this.#position;
  }

  /** A number is about to be given out. */
  onNumber({ epoch, seq }: StreamPosition): void {
    if (seq <= this.#position.upTo && epoch === this.#position.epoch) return;
    this.#set({ epoch, upTo: seq + SET_APART });
  }

  /** A frame is about to be sent that clients which resume have to get. */
  onFrame(frame: Omit<KeptFrame, "previous">): void {
    const { lastFrame: previous } = this.#position;
    this.#set({ lastFrame: frame.seq }, { ...frame, previous });
  }

  /** A client was forgotten. */
  onForgotten(): void {
    if (this.#forgottenUpTo() > this.#position.forgottenUpTo) this.#set({});
  }

  /** Another epoch begins, in which nothing was said yet. */
  restart(epoch: string): void {
    this.#set({ epoch, upTo: 0, lastFrame: 0 });
  }

  /** This life ends: the next one goes on right after the last number. */
  end(seq: number): void {
    this.#set({ upTo: seq });
  }

  #set(change: Partial<KeptPosition>, frame?: KeptFrame): void {
    this.#position = { ...this.#position, ...change, forgottenUpTo: this.#forgottenUpTo() };
    this.#keeper.keep(this.#position, frame);
  }
}

/**
 * The frames that are there, as far as they belong together, and up to which number none is.
 */
export function wholeFrames({ position, frames }: ResumePast): {
  readonly frames: readonly KeptFrame[];
  readonly startsAfter: number;
} {
  const whole: KeptFrame[] = [];
  let expected = position.lastFrame;
  for (const frame of frames.toReversed()) {
    if (frame.seq !== expected) break;
    whole.unshift(frame);
    expected = frame.previous;
  }
  // The newest is missing, as nothing is: then a client that comes may have missed it.
  if (whole.length === 0 && frames.length > 0) return { frames: [], startsAfter: position.upTo };
  return { frames: whole, startsAfter: expected };
}

/** A moment of the wall clock on the monotonic one, as it would have been before this life. */
export function monotonicOf(unixMs: number, clock: Pick<Clock, "now" | "unixMs">): number {
  return clock.now() - Math.max(0, clock.unixMs() - unixMs);
}
