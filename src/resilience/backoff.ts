export interface BackoffOptions {
  /** The first nominal wait, in milliseconds. */
  minMs: number;
  /** The longest wait, jitter included, in milliseconds. */
  maxMs: number;
  /** Growth from one wait to the next; at least 1. Default 2. */
  multiplier?: number;
  /**
   * How much of the nominal wait is left to chance: 1 is full jitter (anything from 0 to the
   * nominal wait), 0.1 is the nominal wait give or take a tenth, 0 is none. Default 1.
   */
  jitter?: number;
}

/**
 * Exponential backoff, immutable: a value that tells one wait and gives the next.
 *
 * Full jitter is the rule of Brooker, "Exponential Backoff and Jitter" (AWS Architecture Blog,
 * 2015): the wait is uniform between 0 and the nominal one, which spreads a herd best.
 *
 * @example
 * ```ts
 * let backoff = new Backoff({ minMs: 100, maxMs: 30_000 });
 * await clock.sleep(backoff.waitMs());
 * backoff = backoff.next();
 * ```
 *
 * @throws {RangeError} If a bound, the multiplier or the jitter is out of range.
 */
export class Backoff {
  /** The wait before jitter, in milliseconds. */
  readonly nominalMs: number;
  readonly #options: Required<BackoffOptions>;

  constructor(options: BackoffOptions, nominalMs: number = options.minMs) {
    const { minMs, maxMs, multiplier = 2, jitter = 1 } = options;
    if (!(minMs >= 0)) {
      throw new RangeError(`Cannot back off as 'minMs' must be >= 0: current value is ${minMs}`);
    }
    if (!(maxMs >= minMs)) {
      throw new RangeError(
        `Cannot back off as 'maxMs' must be >= 'minMs' (${minMs}): current value is ${maxMs}`,
      );
    }
    if (!(multiplier >= 1)) {
      throw new RangeError(
        `Cannot back off as 'multiplier' must be >= 1: current value is ${multiplier}`,
      );
    }
    if (!(jitter >= 0 && jitter <= 1)) {
      throw new RangeError(
        `Cannot back off as 'jitter' must be between 0 and 1: current value is ${jitter}`,
      );
    }
    this.#options = { minMs, maxMs, multiplier, jitter };
    this.nominalMs = Math.min(nominalMs, maxMs);
  }

  /** A wait for this step, in milliseconds. `random` gives a number in [0, 1). */
  waitMs(random: () => number = Math.random): number {
    const { jitter, maxMs } = this.#options;
    if (jitter === 1) return this.nominalMs * random();
    return Math.min(maxMs, this.nominalMs * (1 - jitter + 2 * jitter * random()));
  }

  /** The step after this one. */
  next(): Backoff {
    return new Backoff(this.#options, this.nominalMs * this.#options.multiplier);
  }

  /** The first step. */
  reset(): Backoff {
    return new Backoff(this.#options);
  }
}
