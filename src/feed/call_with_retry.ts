import { Backoff } from "../resilience/backoff.ts";
import type { Clock } from "../resilience/clock.ts";
import { withDeadline } from "../resilience/with_deadline.ts";
import type { Backend, Call, Outcome, Unavailable } from "../rpc/backend.ts";

export interface CallWithRetryOptions {
  clock: Clock;
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
 * Asks a backend, again while it is *unavailable*, until the deadline, which is one more way of being
 * unavailable; the call under way is aborted with it.
 *
 * @throws The signal's reason, when it is aborted; nothing else.
 */
async function callWithRetry(
  backend: Backend,
  call: Call,
  options: CallWithRetryOptions,
): Promise<Outcome> {
  const { clock, timeoutMs, signal, isWanted = () => true, onAttempt } = options;
  const { attempts, minMs, maxMs } = options.retry;
  const startedAt = clock.now();
  let last: Unavailable | undefined;

  async function attempt(abandoned: AbortSignal): Promise<Outcome> {
    let backoff = new Backoff({ minMs, maxMs: Math.max(minMs, maxMs) });
    for (let made = 1;; made++) {
      onAttempt?.();
      const deadlineMs = Math.max(1, timeoutMs - (clock.now() - startedAt));
      const outcome = await backend.call(call, { signal: abandoned, deadlineMs });
      // A backend that says when to come back is not asked again before.
      if (outcome.kind !== "unavailable" || outcome.retryAfterMs !== undefined) return outcome;
      last = outcome;
      if (made >= attempts || !isWanted()) return outcome;
      await clock.sleep(backoff.waitMs(), { signal: abandoned });
      backoff = backoff.next();
    }
  }

  try {
    const asked = await withDeadline(clock, timeoutMs, attempt, { signal });
    if (!asked.isLate) return asked.value;
  } catch {
    signal.throwIfAborted();
    // A backend must not throw; one that does must not take the loop with it.
    return { kind: "unavailable", reason: "the backend's adapter failed" };
  }
  const before = last === undefined ? "" : `; the attempt before: ${last.reason}`;
  return { kind: "unavailable", reason: `no answer within ${timeoutMs} ms${before}` };
}
