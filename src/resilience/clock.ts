// @ts-types="../std_types/delay.d.ts"
import { delay } from "@std/async/delay";

/** Time as the rest of the house sees it: injected, so that tests move it by hand. */
export interface Clock {
  /** Monotonic milliseconds from some fixed point; never jumps with the wall clock. */
  now(): number;
  /** Wall-clock time in unix milliseconds; may step either way. */
  unixMs(): number;
  /** The same in whole unix seconds, for people and for the wire. */
  unixSeconds(): number;
  /**
   * Resolves after `ms` milliseconds, never sooner.
   *
   * @throws The signal's reason, as soon as it is aborted.
   */
  sleep(ms: number, options?: { signal?: AbortSignal }): Promise<void>;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  unixMs: () => Date.now(),
  unixSeconds: () => Math.floor(Date.now() / 1000),
  // Timers count whole milliseconds and drop the rest: without `ceil` they would wake us too soon.
  sleep: (ms, options) => delay(Math.ceil(ms), options),
};

/**
 * A moment on both clocks. What is told of it later holds whichever of the two stood still or was
 * set meanwhile.
 */
export interface Moment {
  readonly monotonicMs: number;
  readonly unixMs: number;
}

/** This moment. */
export function momentOf(clock: Pick<Clock, "now" | "unixMs">): Moment {
  return { monotonicMs: clock.now(), unixMs: clock.unixMs() };
}
