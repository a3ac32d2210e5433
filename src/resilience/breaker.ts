import { Backoff } from "./backoff.ts";

export interface BreakerOptions {
  /** Failures in a row that open the breaker; a positive integer. */
  failures: number;
  /** How long it stays open the first time, in milliseconds. */
  openForMs: number;
  /** The most it stays open after failed trials, in milliseconds. */
  maxOpenForMs: number;
  /** Chance for the jitter of the doubled times, in [0, 1). Default `Math.random`. */
  random?: () => number;
}

/** Calls flow; `failures` counts the ones that failed in a row. */
interface Closed {
  readonly kind: "closed";
  failures: number;
}

/** No calls until `until`, on the clock the caller passes in. */
interface Open {
  readonly kind: "open";
  readonly until: number;
  readonly failures: number;
  readonly backoff: Backoff;
}

/** One trial call is under way and decides. */
interface HalfOpen {
  readonly kind: "half_open";
  readonly failures: number;
  readonly backoff: Backoff;
}

/** A state of the breaker; no field outlives the state it belongs to. */
export type BreakerState = Readonly<Closed> | Open | HalfOpen;

/**
 * Leave to make one call, bound to the state in which it was given. A result counts only while
 * that very state lasts: what was begun before the breaker opened cannot close it, nor can a late
 * answer of one trial decide another.
 */
export interface Permit {
  readonly state: BreakerState;
  /** True for the one call that decides a half-open breaker. */
  readonly trial: boolean;
}

/** How a permitted call ended. */
export type CallResult =
  /** The backend answered. */
  | "success"
  /** The backend did not answer. */
  | "failure"
  /** Nothing was learned: the call was abandoned, or blamed on itself. */
  | "neutral";

export interface ReportOptions {
  /** If this opens the breaker, for at least so long, in milliseconds. Default 0. */
  leastOpenMs?: number;
}

/** A change of state, to be told to listeners. */
export type Transition =
  | { readonly to: "open"; readonly retryAfterMs: number; readonly failures: number }
  | { readonly to: "closed" };

/** An open breaker as plain data, for another life of the process. */
export interface OpenBreaker {
  /** Milliseconds until a trial may be made. */
  readonly retryAfterMs: number;
  readonly failures: number;
  /** How long it was open, without jitter: the next time is twice as long. */
  readonly nominalMs: number;
}

/** What came of reporting a result. */
export interface BreakerVerdict {
  /** The state in which the call began is over: the result must change nothing anywhere. */
  readonly isLate: boolean;
  readonly transition?: Transition;
}

const LATE: BreakerVerdict = { isLate: true };
const NO_CHANGE: BreakerVerdict = { isLate: false };

/** Doubled open times differ by up to a tenth, so that many hubs do not try one backend in step. */
const OPEN_TIME_JITTER = 0.1;

/**
 * A circuit breaker as a pure state machine: it owns no clock and no timer, so every method takes
 * `now` in monotonic milliseconds.
 *
 * `failures` failures in a row open it for `openForMs`; the first call asked for after that is a
 * trial (half-open): success closes it, failure opens it for twice as long, up to `maxOpenForMs`.
 *
 * @example
 * ```ts
 * const permit = breaker.tryAcquire(clock.now());
 * if (permit === undefined) return showCachedValue();
 * const result = await call();
 * const { isLate, transition } = breaker.report(permit, result, clock.now());
 * ```
 *
 * @throws {RangeError} If an option is out of range.
 */
export class Breaker {
  readonly #options: Required<BreakerOptions>;
  #state: Closed | Open | HalfOpen = { kind: "closed", failures: 0 };

  constructor(options: BreakerOptions) {
    const { failures, openForMs, maxOpenForMs, random = Math.random } = options;
    if (!Number.isInteger(failures) || failures < 1) {
      throw new RangeError(
        `Cannot create a breaker as 'failures' must be a positive integer: current value is ${failures}`,
      );
    }
    if (!(openForMs > 0)) {
      throw new RangeError(
        `Cannot create a breaker as 'openForMs' must be a positive number: current value is ${openForMs}`,
      );
    }
    if (!(maxOpenForMs >= openForMs)) {
      throw new RangeError(
        `Cannot create a breaker as 'maxOpenForMs' must be >= 'openForMs' (${openForMs}): current value is ${maxOpenForMs}`,
      );
    }
    this.#options = { failures, openForMs, maxOpenForMs, random };
  }

  /** A breaker that goes on being open, as one did before; its next trial is due when that one's was. */
  static reopened(options: BreakerOptions, before: OpenBreaker, now: number): Breaker {
    const breaker = new Breaker(options);
    const { retryAfterMs, failures, nominalMs } = before;
    const { openForMs, maxOpenForMs } = options;
    // The limits may be others by now.
    const until = now + Math.min(Math.max(0, retryAfterMs), maxOpenForMs);
    const backoff = new Backoff(
      { minMs: openForMs, maxMs: maxOpenForMs, jitter: OPEN_TIME_JITTER },
      Math.max(openForMs, nominalMs),
    );
    breaker.#state = { kind: "open", until, failures, backoff };
    return breaker;
  }

  /** What another life of the process needs to go on from; undefined while it is closed. */
  openRecord(now: number): OpenBreaker | undefined {
    const state = this.#state;
    if (state.kind === "closed") return undefined;
    const { failures, backoff: { nominalMs } } = state;
    return { retryAfterMs: this.retryAfterMs(now), failures, nominalMs };
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Failures in a row so far. */
  get consecutiveFailures(): number {
    return this.#state.failures;
  }

  /** Milliseconds until a trial may be made; 0 unless open. */
  retryAfterMs(now: number): number {
    return this.#state.kind === "open" ? Math.max(0, this.#state.until - now) : 0;
  }

  /**
   * Asks to make a call. While open, `undefined` until the time is up; then the one permit of a
   * trial, and `undefined` again until that is reported.
   */
  tryAcquire(now: number): Permit | undefined {
    const state = this.#state;
    switch (state.kind) {
      case "closed":
        return { state, trial: false };
      case "half_open":
        return undefined;
      case "open": {
        if (now < state.until) return undefined;
        const { failures, backoff } = state;
        this.#state = { kind: "half_open", failures, backoff };
        return { state: this.#state, trial: true };
      }
    }
  }

  /** Whether a result of this permit would still count. */
  isCurrent(permit: Permit): boolean {
    return permit.state === this.#state;
  }

  /** Reports how a permitted call ended. Report each permit once. */
  report(
    permit: Permit,
    result: CallResult,
    now: number,
    options: ReportOptions = {},
  ): BreakerVerdict {
    const { leastOpenMs = 0 } = options;
    const state = this.#state;
    if (permit.state !== state) return LATE;
    switch (state.kind) {
      case "closed":
        if (result === "neutral") return NO_CHANGE;
        if (result === "success") {
          state.failures = 0;
          return NO_CHANGE;
        }
        state.failures += 1;
        if (state.failures < this.#options.failures) return NO_CHANGE;
        return this.#open(
          now,
          state.failures,
          Math.max(leastOpenMs, this.#options.openForMs),
          this.#firstBackoff(),
        );
      case "half_open": {
        if (result === "success") return this.#close();
        const { failures, backoff } = state;
        if (result === "neutral") { // the trial was given up: leave the next due call to try
          this.#state = { kind: "open", until: now, failures, backoff };
          return NO_CHANGE;
        }
        const longer = backoff.next();
        const openForMs = Math.max(leastOpenMs, longer.waitMs(this.#options.random));
        return this.#open(now, failures + 1, openForMs, longer);
      }
      case "open": // permits are never given in this state
        return LATE;
    }
  }

  /**
   * Closes an open or half-open breaker because the backend was seen alive by other means, such
   * as a health check begun in `seenIn`. Late if that state is over.
   */
  closeEarly(seenIn: BreakerState): BreakerVerdict {
    if (seenIn !== this.#state) return LATE;
    return seenIn.kind === "closed" ? NO_CHANGE : this.#close();
  }

  #firstBackoff(): Backoff {
    const { openForMs, maxOpenForMs } = this.#options;
    return new Backoff({ minMs: openForMs, maxMs: maxOpenForMs, jitter: OPEN_TIME_JITTER });
  }

  #open(now: number, failures: number, openForMs: number, backoff: Backoff): BreakerVerdict {
    this.#state = { kind: "open", until: now + openForMs, failures, backoff };
    return { isLate: false, transition: { to: "open", retryAfterMs: openForMs, failures } };
  }

  #close(): BreakerVerdict {
    this.#state = { kind: "closed", failures: 0 };
    return { isLate: false, transition: { to: "closed" } };
  }
}
