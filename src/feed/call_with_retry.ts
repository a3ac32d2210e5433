// @ts-types="../std_types/deadline.d.ts"
import { deadline } from "@std/async/deadline";
// @ts-types="../std_types/retry.d.ts"
import { retry } from "@std/async/retry";
import type { Backend, Call, Outcome, Unavailable } from "../rpc/backend.ts";

export interface CallWithRetryOptions {
  /** For the whole question, retries included, in milliseconds. */
  timeoutMs: number;
  /** Attempts in all, the first included; waits grow from `minMs` to `maxMs` with full jitter. */
  retry: RetryPolicy;
  signal: AbortSignal;
  /** Asked before each retry: whether its answer could still matter. Default: always. */
  isWanted?: () => boolean;
  /** Told before each attempt. */
  onAttempt?: () => void;
}

export interface RetryPolicy {
  readonly attempts: number;
  readonly minMs: number;
  readonly maxMs: number;
}

export const NO_RETRY: RetryPolicy = { attempts: 1, minMs: 0, maxMs: 1 };

/** Carries an outcome that is worth a retry through `retry`, which knows errors only. */
class WorthARetry extends Error {
  constructor(readonly outcome: Unavailable) {
    super(outcome.reason);
  }
}

/**
 * Asks a backend, and says in the reason of a failure what was asked and where.
 *
 * @throws The signal's reason, when it is aborted; nothing else.
 */
export async function ask(
  backend: Backend,
  call: Call,
  options: CallWithRetryOptions,
): Promise<Outcome> {
  const outcome = await callWithRetry(backend, call, options);
  const what = outcome.kind === "ok" ? undefined : backend.describe?.(call);
  if (outcome.kind === "ok" || what === undefined) return outcome;
  return { ...outcome, reason: `${what}: ${outcome.reason}` };
}

/**
 * Asks a backend: `deadline(retry(call))`. Only *unavailable* is retried, and a deadline is one
 * more way of being unavailable; the call under way is aborted with it.
 *
 * @throws The signal's reason, when it is aborted; nothing else.
 */
async function callWithRetry(
  backend: Backend,
  call: Call,
  options: CallWithRetryOptions,
): Promise<Outcome> {
  const { timeoutMs, signal, isWanted = () => true, onAttempt } = options;
  const { attempts, minMs, maxMs } = options.retry;
  using abandon = new Abandon(signal);
  const startedAt = performance.now();
  let last: Unavailable | undefined;
  const attempt = async (): Promise<Outcome> => {
    onAttempt?.();
    const deadlineMs = Math.max(1, timeoutMs - (performance.now() - startedAt));
    const outcome = await backend.call(call, { signal: abandon.signal, deadlineMs });
    // Whoever says when to come back is not asked again before.
    if (outcome.kind !== "unavailable" || outcome.retryAfterMs !== undefined) return outcome;
    last = outcome;
    throw new WorthARetry(outcome);
  };
  const retried = retry(attempt, {
    maxAttempts: attempts,
    minTimeout: minMs,
    maxTimeout: Math.max(1, maxMs), // `retry` wants it above 0
    signal: abandon.signal,
    isRetriable: (error) => error instanceof WorthARetry && isWanted(),
  });
  try {
    return await deadline(retried, timeoutMs, { signal });
  } catch (error) {
    signal.throwIfAborted();
    // `retry` wraps the last failure when attempts are used up, and passes it on when not retriable.
    const failure = error instanceof Error && error.cause instanceof WorthARetry
      ? error.cause
      : error;
    if (failure instanceof WorthARetry) return failure.outcome;
    if (error instanceof DOMException && error.name === "TimeoutError") {
      const before = last === undefined ? "" : `; the attempt before: ${last.reason}`;
      return { kind: "unavailable", reason: `no answer within ${timeoutMs} ms${before}` };
    }
    // A backend must not throw; one that does must not take the loop with it.
    return { kind: "unavailable", reason: "the backend's adapter failed" };
  } finally {
    // Past the deadline the attempt is still under way: end it, and hear its last words.
    abandon.abort();
    retried.catch(() => {});
  }
}

/** A signal that follows another one, can be aborted on its own, and lets go when disposed of. */
class Abandon implements Disposable {
  readonly #own = new AbortController();
  readonly #parent: AbortSignal;
  readonly #onAbort = () => this.#own.abort(this.#parent.reason);

  constructor(parent: AbortSignal) {
    this.#parent = parent;
    if (parent.aborted) this.#onAbort();
    else parent.addEventListener("abort", this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  abort(): void {
    this.#own.abort(new DOMException("The call was abandoned", "AbortError"));
  }

  [Symbol.dispose](): void {
    this.#parent.removeEventListener("abort", this.#onAbort);
  }
}
