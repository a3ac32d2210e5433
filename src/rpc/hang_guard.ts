import type { Clock } from "../resilience/clock.ts";
import { withDeadline } from "../resilience/with_deadline.ts";

/** How guarded work ended. */
export type Guarded<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "failed"; readonly error: unknown }
  /** It is still out, after this many milliseconds. */
  | { readonly kind: "stuck"; readonly forMs: number };

export interface HangGuardOptions {
  clock: Clock;
  /** How long to wait for one piece of work, in milliseconds. */
  deadlineMs: number;
}

interface Outstanding<T> {
  readonly sinceMs: number;
  /** Never rejects; perhaps never resolves. */
  readonly ended: Promise<Guarded<T>>;
}

/**
 * Does work that may never end and cannot be called back: a dead NFS server holds `statfs` in the
 * kernel. Each piece is waited for until it is `deadlineMs` old. While one is out no second one is
 * begun under the same key: who asks meanwhile waits for the first, so that no more threads are
 * stuck than there are keys.
 *
 * @throws {RangeError} If `deadlineMs` is not a positive number.
 */
export class HangGuard<T> {
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  readonly #outstanding = new Map<string, Outstanding<T>>();

  constructor(options: HangGuardOptions) {
    const { clock, deadlineMs } = options;
    if (!(deadlineMs > 0)) {
      throw new RangeError(
        `Cannot guard as 'deadlineMs' must be a positive number: current value is ${deadlineMs}`,
      );
    }
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
  }

  /** @throws The signal's reason, when it is aborted. */
  async run(
    key: string,
    work: () => Promise<T>,
    options: { signal: AbortSignal },
  ): Promise<Guarded<T>> {
    const { signal } = options;
    signal.throwIfAborted();
    const { sinceMs, ended } = this.#outstanding.get(key) ?? this.#begin(key, work);
    const leftMs = Math.max(0, sinceMs + this.#deadlineMs - this.#clock.now());
    const result = await withDeadline(this.#clock, leftMs, () => ended, { signal });
    if (!result.isLate) return result.value;
    return { kind: "stuck", forMs: Math.round(this.#clock.now() - sinceMs) };
  }

  #begin(key: string, work: () => Promise<T>): Outstanding<T> {
    const ended = work().then(
      (value): Guarded<T> => ({ kind: "done", value }),
      (error): Guarded<T> => ({ kind: "failed", error }),
    ).finally(() => this.#outstanding.delete(key));
    const outstanding = { sinceMs: this.#clock.now(), ended };
    this.#outstanding.set(key, outstanding);
    return outstanding;
  }
}
