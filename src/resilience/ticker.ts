import type { Clock } from "./clock.ts";
import { onAbort } from "./on_abort.ts";

export interface TickerOptions {
  clock: Clock;
  /** Ends the iteration, quietly, also in the middle of a wait. */
  signal: AbortSignal;
  /** Wait before the first tick, in milliseconds. Default 0: tick at once. */
  firstAfterMs?: number;
  /** Distance of the second tick from the first, in milliseconds. Default: `everyMs`. */
  secondAfterMs?: number;
  /**
   * Whether the ticks after the first lie on multiples of `everyMs` of the clock, so that tickers of
   * one pace tick together, whenever they began. `secondAfterMs` is of no use then. Default false.
   */
  inStep?: boolean;
}

/** One tick of a {@linkcode Ticker}. */
export interface Tick {
  /** Ticks that fell due while the loop's body was still busy, and were skipped. */
  readonly skipped: number;
}

/**
 * The async iterator behind every periodic loop. Ticks lie on a fixed grid, so that a slow body
 * does not make the loop drift; grid points missed while the body was busy are skipped, never
 * made up for in a burst.
 *
 * @example
 * ```ts
 * const ticker = new Ticker(5000, { clock, signal });
 * for await (const _tick of ticker) await poll();
 * ```
 *
 * @throws {RangeError} If `everyMs` is not a positive number.
 */
export class Ticker implements AsyncIterable<Tick> {
  readonly #everyMs: number;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #firstAfterMs: number;
  readonly #secondAfterMs: number;
  readonly #inStep: boolean;
  #wake: AbortController | undefined;
  #kicked = false;

  constructor(everyMs: number, options: TickerOptions) {
    const { clock, signal, firstAfterMs = 0, secondAfterMs = everyMs, inStep = false } = options;
    if (!(everyMs > 0)) {
      throw new RangeError(
        `Cannot tick as 'everyMs' must be a positive number: current value is ${everyMs}`,
      );
    }
    this.#everyMs = everyMs;
    this.#clock = clock;
    this.#signal = signal;
    this.#firstAfterMs = firstAfterMs;
    this.#secondAfterMs = secondAfterMs;
    this.#inStep = inStep;
  }

  /**
   * Makes the next tick come now, once, without moving the grid. While the body is busy the kick
   * waits for it; several kicks before a tick are one.
   */
  kick(): void {
    this.#kicked = true;
    this.#wake?.abort();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Tick, void, void> {
    let due = this.#clock.now() + this.#firstAfterMs;
    let isFirst = true;
    while (await this.#until(due)) {
      const now = this.#clock.now();
      if (now < due) { // kicked: an extra tick between two points of the grid
        yield { skipped: 0 };
        continue;
      }
      if (isFirst) { // the grid begins with the second tick
        isFirst = false;
        due = this.#inStep
          ? (Math.floor(due / this.#everyMs) + 1) * this.#everyMs
          : due + this.#secondAfterMs;
        yield { skipped: 0 };
        continue;
      }
      const skipped = Math.floor((now - due) / this.#everyMs);
      due += (skipped + 1) * this.#everyMs;
      yield { skipped };
    }
  }

  /** Waits until `due` or a kick; false once the signal is aborted. */
  async #until(due: number): Promise<boolean> {
    // A timer may wake a little early; a tick that came early would come twice, so look again.
    for (;;) {
      if (this.#signal.aborted) return false;
      const ms = due - this.#clock.now();
      if (ms <= 0 || this.#kicked) break;
      const wake = new AbortController();
      this.#wake = wake;
      using _stop = onAbort(this.#signal, () => wake.abort());
      try {
        await this.#clock.sleep(ms, { signal: wake.signal });
      } catch (error) {
        if (!wake.signal.aborted) throw error;
      } finally {
        this.#wake = undefined;
      }
    }
    this.#kicked = false;
    return true;
  }
}
