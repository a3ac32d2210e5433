import type { Clock, SleepOptions } from "../../src/resilience/clock.ts";
import { WAKE_EVERY_MS } from "../../src/resilience/common_timer.ts";

interface Sleeper {
  readonly due: number;
  wake(): void;
}

/**
 * A clock that stands still until a test moves it. `advance` wakes sleepers in the order of their
 * time and lets everything they set off settle before the next one, so that a minute of polling
 * passes in milliseconds and always in the same order.
 */
export class FakeClock implements Clock {
  /** Wall clock at the start, in unix seconds. */
  static readonly EPOCH = 1_764_000_000;

  #now = 0;
  #wallAheadMs = 0;
  readonly #sleepers = new Set<Sleeper>();

  now(): number {
    return this.#now;
  }

  unixMs(): number {
    return FakeClock.EPOCH * 1000 + Math.floor(this.#now) + this.#wallAheadMs;
  }

  unixSeconds(): number {
    return Math.floor(this.unixMs() / 1000);
  }

  /** Sets the wall clock forward, or back, alone: a suspend, or somebody who puts it right. */
  stepWall(ms: number): void {
    this.#wallAheadMs += ms;
  }

  sleep(ms: number, { signal, together = false }: SleepOptions = {}): Promise<void> {
    const due = this.#now + Math.max(0, ms);
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      const sleeper: Sleeper = {
        due: together ? Math.ceil(due / WAKE_EVERY_MS) * WAKE_EVERY_MS : due,
        wake: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Sleepers that wait now; 0 at the end of a test means that nothing was left behind. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** Moves time on by `ms`, waking whoever is due on the way. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#sleepers.delete(next);
      this.#now = Math.max(this.#now, next.due);
      next.wake();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  /** Moves time on at one blow, as when the whole process stood still; nobody is woken before its end. */
  async jump(ms: number): Promise<void> {
    await settle();
    this.#now += ms;
    await this.advance(0);
  }

  #next(end: number): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (sleeper.due <= end && (first === undefined || sleeper.due < first.due)) first = sleeper;
    }
    return first;
  }
}

/** Lets promises that are ready run, and what they set off in turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise<void>((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        port2.close();
        resolve();
      };
      port2.postMessage(null);
    });
  }
}
