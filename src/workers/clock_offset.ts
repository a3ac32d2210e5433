import type { Moment } from "../resilience/clock.ts";
import type { ClockPair } from "./messages.ts";

/**
 * How a thread reads the main thread's monotonic clock: every thread's starts at a time of its own.
 *
 * The thread reads its clock, asks, and is told what the main thread's clock showed after that: the
 * true difference is at least what that comes to, and every further pair can only come closer. So
 * what is told of a moment is never younger than it is, by a crossing's time older at most.
 */
export class ClockOffset {
  #offsetMs = -Infinity;

  /** The two clocks were read one after the other. */
  learn({ thread, main }: ClockPair): void {
    this.#offsetMs = Math.max(this.#offsetMs, thread - main);
  }

  /** A time on the main thread's clock, on this thread's. */
  here(mainMs: number): number {
    return mainMs + this.#offsetMs;
  }

  /** The same moment on this thread's clocks. */
  moment({ monotonicMs, unixMs }: Moment): Moment {
    return { monotonicMs: this.here(monotonicMs), unixMs };
  }
}
