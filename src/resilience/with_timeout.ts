import type { Clock } from "./clock.ts";

/** Waits for something to be done, but no longer than `ms` milliseconds. */
export async function withTimeout(
  clock: Clock,
  ms: number,
  work: () => Promise<unknown>,
): Promise<void> {
  const bound = new AbortController();
  const tooLate = clock.sleep(ms, { signal: bound.signal }).catch(() => {});
  await Promise.race([work(), tooLate]);
  bound.abort();
}
