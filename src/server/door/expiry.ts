import type { Clock } from "../../resilience/clock.ts";

export interface ExpiriesOptions {
  clock: Clock;
  /** Ends the watch. */
  signal: AbortSignal;
}

/** How often the wall clock is looked at while anything can expire, in milliseconds. */
const LOOK_EVERY_MS = 1000;

/**
 * Calls back when rights expire, by the wall clock: timers stand still while the machine is
 * suspended, so one would come too late by all that time. One look serves everybody.
 */
export class Expiries {
  readonly #options: ExpiriesOptions;
  readonly #entries = new Set<{ readonly expiresAt: number; readonly expired: () => void }>();
  #isRunning = false;

  constructor(options: ExpiriesOptions) {
    this.#options = options;
  }

  /**
   * Calls back once the wall clock has reached this time, unless disposed of before.
   *
   * @param expiresAt Unix seconds; undefined: never.
   */
  add(expiresAt: number | undefined, expired: () => void): Disposable {
    if (expiresAt === undefined) return NOTHING;
    const entry = { expiresAt, expired };
    this.#entries.add(entry);
    if (!this.#isRunning) void this.#run();
    return { [Symbol.dispose]: () => this.#entries.delete(entry) };
  }

  async #run(): Promise<void> {
    const { clock, signal } = this.#options;
    this.#isRunning = true;
    try {
      while (this.#entries.size > 0) {
        await clock.sleep(LOOK_EVERY_MS, { signal });
        this.#look();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#isRunning = false;
    }
  }

  #look(): void {
    const now = this.#options.clock.unixSeconds();
    for (const entry of this.#entries) {
      if (entry.expiresAt > now || !this.#entries.delete(entry)) continue;
      entry.expired();
    }
  }
}

const NOTHING: Disposable = { [Symbol.dispose]() {} };
