import type { Moment } from "../resilience/clock.ts";

/**
 * The wall clock counts whole milliseconds, the monotonic one parts of them: what they part by from
 * look to look within this is no step.
 */
const RESOLUTION_MS = 1;

/**
 * How old something is that began at a known moment. Where the two clocks part, the larger age
 * counts: the monotonic clock stands still while a machine sleeps, and the wall clock can be set.
 * A step back of either makes nothing younger, and hides no sleep that comes after it: every step
 * forward that is seen counts.
 */
export class Age {
  readonly #began: Moment;
  /** By how much the wall clock went further than the monotonic one, all steps forward together. */
  #aheadMs = 0;
  /** Of that, what went before the last step back; and how the clocks stood after that. */
  #aheadBeforeMs = 0;
  #sinceMs = 0;
  /** How the clocks stood to each other at the last look. */
  #partedMs = 0;

  constructor(began: Moment, now: Moment) {
    this.#began = began;
    this.look(now);
  }

  /** Takes note of how the clocks stand. */
  look(now: Moment): void {
    const { monotonicMs, unixMs } = this.#began;
    const partedMs = (now.unixMs - unixMs) - (now.monotonicMs - monotonicMs);
    if (partedMs < this.#partedMs - RESOLUTION_MS) {
      this.#aheadBeforeMs = this.#aheadMs;
      this.#sinceMs = partedMs;
    }
    this.#partedMs = partedMs;
    this.#aheadMs = Math.max(this.#aheadMs, this.#aheadBeforeMs + partedMs - this.#sinceMs);
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
