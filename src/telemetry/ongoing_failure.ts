export interface OngoingFailureOptions {
  /** When the first reminder is due, counted from the beginning, in milliseconds. Default 5 minutes. */
  remindAfterMs?: number;
  /** The longest time between two reminders, in milliseconds. Default 1 hour. */
  maxBetweenMs?: number;
}

/** What a repeat of a failure is worth. */
export type Repeat =
  /** It begins: say so. */
  | { readonly kind: "first" }
  /** It goes on, as was said not long ago. */
  | { readonly kind: "again"; readonly times: number }
  /** It goes on, and it is time to say so again. */
  | { readonly kind: "reminder"; readonly times: number; readonly lastedMs: number };

/** A failure that is over. */
export interface Ended {
  readonly times: number;
  readonly lastedMs: number;
}

/**
 * Folds the repeats of a lasting failure: one line when it begins, one when it ends, and reminders
 * in between, twice as far apart each time. A night of a poll every five seconds is a dozen lines
 * instead of six thousand. Pure: it owns no clock and writes nothing.
 *
 * @throws {RangeError} If a time is not a positive number.
 */
export class OngoingFailure {
  readonly #remindAfterMs: number;
  readonly #maxBetweenMs: number;
  #times = 0;
  #since = 0;
  #remindAt = 0;
  #betweenMs = 0;

  constructor(options: OngoingFailureOptions = {}) {
    const { remindAfterMs = 5 * 60_000, maxBetweenMs = 60 * 60_000 } = options;
    for (const [name, ms] of Object.entries({ remindAfterMs, maxBetweenMs })) {
      if (ms > 0) continue;
      throw new RangeError(
        `Cannot fold failures as '${name}' must be a positive number: current value is ${ms}`,
      );
    }
    this.#remindAfterMs = remindAfterMs;
    this.#maxBetweenMs = maxBetweenMs;
  }

  /**
   * It failed, once more or for the first time.
   *
   * @param now Monotonic milliseconds, here and below.
   */
  failed(now: number): Repeat {
    this.#times += 1;
    if (this.#times === 1) {
      this.#since = now;
      this.#betweenMs = this.#remindAfterMs;
      this.#remindAt = now + this.#betweenMs;
      return { kind: "first" };
    }
    if (now < this.#remindAt) return { kind: "again", times: this.#times };
    this.#betweenMs = Math.min(this.#maxBetweenMs, this.#betweenMs * 2);
    this.#remindAt = now + this.#betweenMs;
    return { kind: "reminder", times: this.#times, lastedMs: now - this.#since };
  }

  /** It works again; `undefined` if it did all the time. */
  ended(now: number): Ended | undefined {
    if (this.#times === 0) return undefined;
    const ended = { times: this.#times, lastedMs: now - this.#since };
    this.#times = 0;
    return ended;
  }
}
