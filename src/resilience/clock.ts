// @ts-types="../std_types/delay.d.ts"
import { delay } from "@std/async/delay";
import { CommonTimer } from "./common_timer.ts";

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
  sleep(ms: number, options?: SleepOptions): Promise<void>;
}

/** How to sleep. */
export interface SleepOptions {
  signal?: AbortSignal;
  /**
   * Whether it may last some 40 ms longer: such sleeps end together, as to
   * wake costs the runtime more than what most looks do. Default: false.
   */
  together?: boolean;
}

/** The machine's own clock. */
export const systemClock: Clock = createSystemClock();

function createSystemClock(): Clock {
  const commonTimer = new CommonTimer();
  return {
    now: () => performance.now(),
    unixMs: () => Date.now(),
    unixSeconds: () => Math.floor(Date.now() / 1000),
    sleep: (ms, { signal, together = false } = {}) => {
      if (together) return commonTimer.sleep(ms, signal);
      // Timers count whole milliseconds and drop the rest: without `ceil` they would wake us too soon.
      return delay(Math.ceil(ms), signal ? { signal } : {});
    },
  };
}

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
