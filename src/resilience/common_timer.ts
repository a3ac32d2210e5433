import { onAbort } from "./on_abort.ts";

/**
 * Time between two wakes, in milliseconds. To wake up costs the runtime 0.1 to 0.2 ms of CPU, whatever
 * is done then, and a timer that is made for one wake twice that.
 */
export const WAKE_EVERY_MS = 40;

/** Turns of the microtask queue after which whoever was woken has gone to sleep again, if ever. */
const SETTLING_TURNS = 32;

interface Sleeper {
  readonly dueMs: number;
  wake(): void;
}

/** One timer of the runtime for all that sleep and may sleep a little longer. */
export class CommonTimer {
  readonly #sleepers = new Set<Sleeper>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * Resolves after `ms` milliseconds, never sooner, and {@linkcode WAKE_EVERY_MS} later at most.
   *
   * @throws The signal's reason, as soon as it is aborted.
   */
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper: Sleeper = { dueMs: performance.now() + ms, wake: resolve };
    this.#sleepers.add(sleeper);
    this.#timer ??= setInterval(() => this.#wakeAll(), WAKE_EVERY_MS);
    using _stop = onAbort(signal, () => {
      this.#sleepers.delete(sleeper);
      this.#stopIfIdle();
      reject(signal?.reason);
    });
    await promise;
  }

  #wakeAll(): void {
    const now = performance.now();
    for (const sleeper of this.#sleepers) {
      if (sleeper.dueMs > now) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
    if (this.#sleepers.size === 0) void this.#stopUnlessUsed();
  }

  /** Most who are woken sleep again at once. */
  async #stopUnlessUsed(): Promise<void> {
    for (let turn = 0; turn < SETTLING_TURNS; turn++) await undefined;
    this.#stopIfIdle();
  }

  #stopIfIdle(): void {
    if (this.#sleepers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
