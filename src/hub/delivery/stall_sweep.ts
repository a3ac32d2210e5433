import type { Clock } from "../../resilience/clock.ts";
import { Ticker } from "../../resilience/ticker.ts";

/** What the sweep needs of a session. */
export interface Swept {
  stalledForMs(now: number): number;
  forgive(ms: number): void;
}

export interface StallSweepOptions<S extends Swept> {
  clock: Clock;
  stallTimeoutMs: number;
  sessions: () => Iterable<S>;
  onStalled: (session: S, stalledForMs: number) => void;
  /** Told after each sweep: by then everybody's time in which this process stood still is taken back. */
  onSwept?: (now: number) => void;
}

/** Looks this often in one stall timeout, but neither more nor less often than the bounds. */
const LOOKS_PER_TIMEOUT = 10;
const MIN_EVERY_MS = 20;
const MAX_EVERY_MS = 1000;

/**
 * Finds the clients that take nothing. A look that comes late means that this process itself stood
 * still (SIGSTOP, a long collection, a suspended machine): that time is not counted.
 */
export class StallSweep<S extends Swept> {
  readonly #options: StallSweepOptions<S>;
  readonly #everyMs: number;

  constructor(options: StallSweepOptions<S>) {
    this.#options = options;
    const everyMs = options.stallTimeoutMs / LOOKS_PER_TIMEOUT;
    this.#everyMs = Math.min(MAX_EVERY_MS, Math.max(MIN_EVERY_MS, everyMs));
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, stallTimeoutMs, sessions, onStalled } = this.#options;
    const ticker = new Ticker(this.#everyMs, { clock, signal, firstAfterMs: this.#everyMs });
    let last = clock.now();
    for await (const _tick of ticker) {
      const now = clock.now();
      const stoodStillMs = now - last - this.#everyMs;
      last = now;
      for (const session of sessions()) {
        if (stoodStillMs > this.#everyMs) session.forgive(stoodStillMs);
        const stalledMs = session.stalledForMs(now);
        if (stalledMs >= stallTimeoutMs) onStalled(session, stalledMs);
      }
      this.#options.onSwept?.(now);
    }
  }
}
