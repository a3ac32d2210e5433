import { onAbort } from "./on_abort.ts";

export interface SemaphoreOptions {
  /** How many may hold it at a time; a positive integer. */
  permits: number;
  /** How many may wait for it; one more is turned away. */
  maxWaiting: number;
}

interface SlotWaiter {
  readonly resolve: (slot: Disposable) => void;
}

/**
 * Lets so many in at a time; others wait in the order in which they came.
 *
 * @example
 * ```ts
 * using slot = await semaphore.acquire({ signal });
 * if (slot === undefined) return; // too many wait already
 * await call();
 * ```
 *
 * @throws {RangeError} If `permits` is not a positive integer.
 */
export class Semaphore {
  readonly #maxWaiting: number;
  readonly #waiting = new Set<SlotWaiter>();
  #free: number;

  constructor(options: SemaphoreOptions) {
    const { permits, maxWaiting } = options;
    if (!Number.isSafeInteger(permits) || permits < 1) {
      throw new RangeError(
        `Cannot create a semaphore as 'permits' must be a positive integer: current value is ${permits}`,
      );
    }
    this.#free = permits;
    this.#maxWaiting = maxWaiting;
  }

  /** How many wait now. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Waits for a place, which is given back by disposing of it; `undefined` if too many wait.
   *
   * @throws The signal's reason, when it is aborted.
   */
  acquire(options: { signal: AbortSignal }): Promise<Disposable | undefined> {
    const { signal } = options;
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve(this.#slot());
    }
    if (this.#waiting.size >= this.#maxWaiting) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const waiter: SlotWaiter = {
        resolve: (slot) => {
          wait[Symbol.dispose]();
          resolve(slot);
        },
      };
      this.#waiting.add(waiter);
      const wait = onAbort(signal, () => {
        this.#waiting.delete(waiter);
        reject(signal.reason);
      });
    });
  }

  #slot(): Disposable {
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        const [next] = this.#waiting;
        if (next === undefined) {
          this.#free++;
          return;
        }
        this.#waiting.delete(next);
        next.resolve(this.#slot());
      },
    };
  }
}
