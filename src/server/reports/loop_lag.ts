import type { Clock } from "../../resilience/clock.ts";
import { Histogram } from "../../telemetry/histogram.ts";

/** Lags worth telling apart, in seconds: a timer is always a little late. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Time between two looks, in milliseconds. */
const EVERY_MS = 250;

/**
 * How late the event loop comes to what is due, seen from a timer of its own: what a frame, a poll
 * or a heartbeat that falls due just then would have to wait. (The runtime's own histogram of this,
 * `monitorEventLoopDelay`, does not measure anything.)
 */
export class LoopLag {
  readonly #clock: Clock;
  readonly histogram = new Histogram(BOUNDS);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Measures until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        const due = this.#clock.now() + EVERY_MS;
        await this.#clock.sleep(EVERY_MS, { signal });
        this.histogram.observe((this.#clock.now() - due) / 1000);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
