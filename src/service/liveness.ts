import type { Clock } from "../resilience/clock.ts";

export interface LivenessOptions {
  clock: Clock;
  /** How long after a beat it counts as alive, in milliseconds. */
  withinMs: number;
}

/**
 * Whether something periodic still happens: whoever does it calls {@linkcode beat}, the watchdog
 * asks {@linkcode isAlive}. Alive at first, for as long as after a beat.
 *
 * @throws {RangeError} If `withinMs` is not a positive number.
 */
export class Liveness {
  readonly #options: LivenessOptions;
  #lastMs: number;

  constructor(options: LivenessOptions) {
    const { clock, withinMs } = options;
    if (!(withinMs > 0)) {
      throw new RangeError(
        `Cannot watch a pulse as 'withinMs' must be a positive number: current value is ${withinMs}`,
      );
    }
    this.#options = options;
    this.#lastMs = clock.now();
  }

  beat(): void {
    this.#lastMs = this.#options.clock.now();
  }

  isAlive(): boolean {
    const { clock, withinMs } = this.#options;
    return clock.now() - this.#lastMs <= withinMs;
  }
}
