import type { Clock } from "./clock.ts";
import { LinkedAbort } from "./linked_abort.ts";
import { onAbort } from "./on_abort.ts";

/** What came of something that was waited for within a bound. */
export type InTime<T> = { readonly isLate: false; readonly value: T } | { readonly isLate: true };

export interface DeadlineOptions {
  /** Ends the wait. Default: nothing does. */
  signal?: AbortSignal | undefined;
}

/**
 * Does something that may take `ms` milliseconds, and no longer: then its signal is aborted, it
 * is not waited for any more, and what it throws is dropped.
 *
 * @example
 * ```ts
 * const answer = await withDeadline(clock, 5000, (signal) => ask(question, { signal }));
 * if (answer.isLate) return "no answer in time";
 * ```
 *
 * @throws The signal's reason, as soon as it is aborted; else what the work throws in time.
 */
export async function withDeadline<T>(
  clock: Pick<Clock, "sleep">,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  { signal }: DeadlineOptions = {},
): Promise<InTime<T>> {
  signal?.throwIfAborted();
  using call = new LinkedAbort([signal]);
  const aborted = Promise.withResolvers<never>();
  using _wait = onAbort(signal, () => aborted.reject(signal?.reason));
  const done = new AbortController();
  const late = clock.sleep(ms, { signal: done.signal }).then(() => {
    call.abort(new DOMException(`Not done within ${ms} ms`, "TimeoutError"));
    return { isLate: true } as const;
  });
  const working = work(call.signal).then((value) => ({ isLate: false, value }) as const);
  try {
    return await Promise.race([working, late, aborted.promise]);
  } finally {
    done.abort();
    for (const rest of [working, late, aborted.promise]) rest.catch(() => {});
  }
}
