import type { Moment } from "../resilience/clock.ts";

/**
 * How old something is that began at a known moment. Where the two clocks part, the larger age
 * counts: the monotonic clock stands still while a machine sleeps, and the wall clock can be set.
 * A step back of either makes nothing younger.
 */
export class Age {
  readonly #began: Moment;
  /** How much further than the monotonic clock the wall clock was ever seen to be, since then. */
  #aheadMs: number;

  constructor(began: Moment, now: Moment) {
    this.#began = began;
    this.#aheadMs = 0;
    this.look(now);
  }

  /** Takes note of how the clocks stand. */
  look(now: Moment): void {
    const { monotonicMs, unixMs } = this.#began;
    const aheadMs = (now.unixMs - unixMs) - (now.monotonicMs - monotonicMs);
    this.#aheadMs = Math.max(this.#aheadMs, aheadMs);
  }

  /** Its age now, in whole milliseconds. */
  ms(now: Moment): number {
    this.look(now);
    return Math.max(0, Math.round(now.monotonicMs - this.beganMs));
  }

  /**
   * When it began, on the monotonic clock as it would have gone on without standing still: of two
   * ages looked at in the same moment, the larger one is the younger thing's.
   */
  get beganMs(): number {
    return this.#began.monotonicMs - this.#aheadMs;
  }

  /** When it began by the wall clock, in unix milliseconds. */
  get beganUnixMs(): number {
    return this.#began.unixMs;
  }
}
