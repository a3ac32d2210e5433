import type { Clock } from "../../resilience/clock.ts";
import { onAbort } from "../../resilience/on_abort.ts";

/** What the pump needs of a session. */
export interface Pumped {
  /** Frames waiting. */
  readonly waitingFrames: number;
  /** Hands over what waits, as far as there is room; true once nothing waits. */
  flush(now: number): boolean;
}

/** Waits until the next look, in milliseconds: short after progress, longer while nothing moves. */
const MIN_WAIT_MS = 1;
const MAX_WAIT_MS = 50;

interface Turn {
  waitMs: number;
  due: number;
}

export interface PumpOptions {
  clock: Clock;
  signal: AbortSignal;
}

/**
 * Comes back to the sessions that have frames waiting. Runtimes give no event when a transport has
 * room again, so it looks: at each session on the next turn of the event loop first, then ever more
 * seldom while that one does not move. One that stands still delays no other. Costs nothing while
 * nobody is blocked, and holds at most one entry per session.
 */
export class Pump {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #turns = new Map<Pumped, Turn>();
  #isRunning = false;
  #wake: AbortController | undefined;

  constructor(options: PumpOptions) {
    this.#clock = options.clock;
    this.#signal = options.signal;
  }

  add(session: Pumped): void {
    if (this.#turns.has(session)) return;
    this.#turns.set(session, { waitMs: MIN_WAIT_MS, due: this.#clock.now() + MIN_WAIT_MS });
    if (this.#isRunning) this.#wake?.abort();
    else {
      this.#isRunning = true;
      void this.#run();
    }
  }

  async #run(): Promise<void> {
    try {
      while (this.#turns.size > 0) {
        await this.#sleepUntilDue();
        const now = this.#clock.now();
        for (const [session, turn] of this.#turns) {
          if (turn.due <= now) this.#look(session, turn, now);
        }
      }
    } catch (error) {
      if (!this.#signal.aborted) throw error;
    } finally {
      this.#isRunning = false;
    }
  }

  #look(session: Pumped, turn: Turn, now: number): void {
    const before = session.waitingFrames;
    if (session.flush(now)) {
      this.#turns.delete(session);
      return;
    }
    const hasMoved = session.waitingFrames < before;
    turn.waitMs = hasMoved ? MIN_WAIT_MS : Math.min(MAX_WAIT_MS, turn.waitMs * 2);
    turn.due = now + turn.waitMs;
  }

  /** Sleeps until somebody is due; a session that is added wakes it, for it is due sooner. */
  async #sleepUntilDue(): Promise<void> {
    let due = Infinity;
    for (const turn of this.#turns.values()) due = Math.min(due, turn.due);
    const wake = new AbortController();
    this.#wake = wake;
    using _stop = onAbort(this.#signal, () => wake.abort());
    try {
      await this.#clock.sleep(due - this.#clock.now(), { signal: wake.signal });
    } catch {
      this.#signal.throwIfAborted();
    } finally {
      this.#wake = undefined;
    }
  }
}
