/** Events that wait for a slow reader; when full, the oldest is dropped and counted. */
export const MAX_WAITING_EVENTS = 256;

/** Values of a status channel that wait for a slow reader: the latest alone. */
export const MAX_WAITING_VALUES = 1;

export interface EventQueueOptions {
  /** How many items may wait for the reader; when full, the oldest is dropped and counted. */
  bound: number;
  /** Called once when the reader leaves or the inbox is finished. */
  onEnd?: () => void;
}

interface Waiter<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(reason: Error): void;
}

/**
 * A bounded queue between the connection, which never waits, and one reader who may be slow.
 * Items are made when they are taken, so that an age in them is right at that moment.
 */
export class EventQueue<T> implements AsyncIterableIterator<T, undefined, void> {
  readonly #bound: number;
  readonly #onEnd: (() => void) | undefined;
  readonly #items: (() => T)[] = [];
  readonly #waiters: Waiter<T>[] = [];
  #dropped = 0;
  #ended = false;
  #failure: Error | undefined;

  /** @throws {RangeError} If the bound is not a positive integer. */
  constructor(options: EventQueueOptions) {
    const { bound, onEnd } = options;
    if (!Number.isInteger(bound) || bound < 1) {
      throw new RangeError(
        `Cannot queue as 'bound' must be a positive integer: current value is ${bound}`,
      );
    }
    this.#bound = bound;
    this.#onEnd = onEnd;
  }

  /** Items dropped so far because the reader was slow. */
  get dropped(): number {
    return this.#dropped;
  }

  push(make: () => T): void {
    if (this.#ended) return;
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) return waiter.resolve({ done: false, value: make() });
    if (this.#items.length === this.#bound) {
      this.#items.shift();
      this.#dropped += 1;
    }
    this.#items.push(make);
  }

  /** Makes readers fail with this error, after what still waits; `undefined` ends that. */
  fail(error: Error | undefined): void {
    this.#failure = error;
    if (error === undefined) return;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }

  /** Ends the iteration, after what still waits. */
  finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve({ done: true, value: undefined });
    this.#onEnd?.();
  }

  /** @throws {ClientStoppedError} If nothing waits and the client has stopped. */
  next(): Promise<IteratorResult<T, undefined>> {
    const make = this.#items.shift();
    if (make !== undefined) return Promise.resolve({ done: false, value: make() });
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** Leaves: what still waits is thrown away. `break` out of a `for await` calls it. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.#items.length = 0;
    this.finish();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
