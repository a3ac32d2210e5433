import type { Clock } from "../../resilience/clock.ts";
import { Histogram } from "../../telemetry/histogram.ts";

/** Lags worth telling apart, in seconds: a timer is always a little late. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Time between two looks, in milliseconds. */
const EVERY_MS = 250;

/** Looks of which the longest lag is told: those of five seconds. */
const TOLD_LOOKS = 20;

/**
 * How late the event loop comes to what is due, seen from a timer of its own: what a frame, a poll
 * or a heartbeat that falls due just then would have to wait. (The runtime's own histogram of this,
 * `monitorEventLoopDelay`, does not measure anything.)
 */
export class LoopLag {
  readonly #clock: Clock;
  /** The newest look, and the longest lag of the looks before it that are still told. */
  readonly #late: number[] = [];
  readonly histogram = new Histogram(BOUNDS);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The longest lag of the last few seconds, in milliseconds. */
  get lateMs(): number {
    return Math.max(0, ...this.#late);
  }

  /** Measures until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        const due = this.#clock.now() + EVERY_MS;
        await this.#clock.sleep(EVERY_MS, { signal });
        const lateMs = Math.max(0, this.#clock.now() - due);
        this.histogram.observe(lateMs / 1000);
        this.#late.push(lateMs);
        if (this.#late.length > TOLD_LOOKS) this.#late.shift();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
