import type { EncodedFrame } from "../../protocol/codec.ts";
import type { BatchHolder, BatchWindows } from "./batch_windows.ts";
import type { Lane } from "./outbox.ts";
import type { SharedBatch } from "./shared_batch.ts";

/**
 * A value that comes after a quiet time waits this long for those of the other sources of the same
 * tick, in milliseconds. Events and errors wait for nothing then.
 */
export const VALUE_WAIT_MS = 4;

/** What is to be done next. */
export type BatchStep =
  /** The frame was taken in; it goes with the others, in time. */
  | "wait"
  /** The frame was taken in; what is gathered goes now. */
  | "release"
  /** There is no room for the frame before what is gathered has gone. */
  | "full";

export interface PendingBatchOptions {
  windows: BatchWindows;
  /** Most characters in one batch; a single frame may be longer. */
  maxChars: number;
  /** Called when what is gathered is to go. */
  gatherer: BatchHolder;
}

/** What is being gathered for one client, and when it goes. It sends nothing itself. */
export class PendingBatch {
  readonly #options: PendingBatchOptions;
  #batch: SharedBatch | undefined;
  #releaseAt = -Infinity;
  #wroteAt = -Infinity;

  constructor(options: PendingBatchOptions) {
    this.#options = options;
  }

  /** What was gathered so far; undefined if nothing was. */
  get batch(): SharedBatch | undefined {
    return this.#batch;
  }

  /** Whether the client may be written to again; `now` in monotonic milliseconds, here and below. */
  isTimeToWrite(now: number): boolean {
    return now - this.#wroteAt >= this.#options.windows.lengthMs;
  }

  /** Whether what was gathered is to go. */
  isDue(now: number): boolean {
    return this.#batch !== undefined && now >= this.#releaseAt;
  }

  /** Takes in a frame. */
  add(frame: EncodedFrame, lane: Lane, now: number): BatchStep {
    const { windows, maxChars, gatherer } = this.#options;
    const batch = this.#batch ?? windows.empty;
    const next = batch.with(frame, lane);
    if (next.verdict === "overflow" || (batch.size > 0 && next.weight > maxChars)) return "full";
    const isFirst = this.#batch === undefined;
    this.#batch = next;
    if (lane !== "status" && this.isTimeToWrite(now)) return "release";
    if (isFirst) {
      this.#releaseAt = Math.max(this.#wroteAt + windows.lengthMs, now + VALUE_WAIT_MS);
      windows.add(gatherer, this.#releaseAt);
    }
    return "wait";
  }

  /** Takes out what was gathered. */
  take(): SharedBatch | undefined {
    const batch = this.#batch;
    this.#batch = undefined;
    return batch;
  }

  /** Notes that the client was written to. */
  wrote(now: number): void {
    this.#wroteAt = now;
  }

  /** The next write need not wait for its time. */
  hurry(): void {
    this.#wroteAt = -Infinity;
    this.#releaseAt = -Infinity;
  }
}
