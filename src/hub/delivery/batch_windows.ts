import type { Clock } from "../../resilience/clock.ts";
import { SharedBatch } from "./shared_batch.ts";

/** Somebody for whom frames are being gathered. */
export interface BatchHolder {
  /** Hands over what was gathered, if it is time; `now` in monotonic milliseconds. */
  release(now: number): void;
}

export interface BatchWindowsOptions {
  clock: Clock;
  signal: AbortSignal;
  /** Events that may wait for one client. */
  maxEvents: number;
}

interface Window {
  readonly endsAt: number;
  /** One entry for each batch begun in it: a client whose batch is full may begin another. */
  readonly gatherers: BatchHolder[];
}

/** A batching client gets one write at most in this time, in milliseconds. */
export const BATCH_WINDOW_MS = 16;

/** The same where writing takes so long that little else would be done, in milliseconds. */
export const MAX_BATCH_WINDOW_MS = 100;

/** A client joins a window that ends up to so much later than its own would, in milliseconds. */
const SLACK_MS = 4;

/**
 * Times at which the batches of many clients are handed over: one timer for all who gather
 * together. There are never more windows open than slacks fit into the longest one.
 *
 * Writing takes half of the time at most: while it takes longer, windows do, and whatever comes
 * while batches are still being written shares the next ones.
 */
export class BatchWindows {
  readonly #options: BatchWindowsOptions;
  readonly #open: Window[] = [];
  #empty: SharedBatch;
  #lengthMs = BATCH_WINDOW_MS;

  constructor(options: BatchWindowsOptions) {
    this.#options = options;
    this.#empty = SharedBatch.empty(options.maxEvents);
  }

  /** Where each client's next batch begins. */
  get empty(): SharedBatch {
    return this.#empty;
  }

  /** The least time between two writes to one client, as it is now, in milliseconds. */
  get lengthMs(): number {
    return this.#lengthMs;
  }

  /** Has what is gathered handed over at this time, or as little later as {@linkcode SLACK_MS}. */
  add(gatherer: BatchHolder, releaseAt: number): void {
    for (const window of this.#open) {
      if (window.endsAt < releaseAt || window.endsAt > releaseAt + SLACK_MS) continue;
      window.gatherers.push(gatherer);
      return;
    }
    const window = { endsAt: releaseAt, gatherers: [gatherer] };
    this.#open.push(window);
    const { clock, signal } = this.#options;
    clock.sleep(releaseAt - clock.now(), { signal }).then(() => this.#end(window), () => {});
  }

  #end(window: Window): void {
    this.#open.splice(this.#open.indexOf(window), 1);
    // Or the steps taken from the old one would be kept for no client.
    this.#empty = SharedBatch.empty(this.#options.maxEvents);
    const now = this.#options.clock.now();
    for (const gatherer of window.gatherers) gatherer.release(now);
    void this.#measure(now);
  }

  /** Notes how long it takes until what was handed over since `start` is written. */
  async #measure(start: number): Promise<void> {
    const { clock, signal } = this.#options;
    try {
      // The runtime writes once we return to it, and wakes us after that.
      await clock.sleep(0, { signal });
    } catch {
      return; // the hub stops
    }
    const writingMs = clock.now() - start;
    this.#lengthMs = Math.min(MAX_BATCH_WINDOW_MS, Math.max(BATCH_WINDOW_MS, 2 * writingMs));
  }
}
