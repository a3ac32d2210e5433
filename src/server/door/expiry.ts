/** The longest wait a timer can do, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Calls back when a right expires, unless disposed of before.
 *
 * @param expiresAt Unix seconds; undefined: never.
 */
export function onExpiry(expiresAt: number | undefined, expired: () => void): Disposable {
  let timer: ReturnType<typeof setTimeout> | undefined;
  function wait(): void {
    if (expiresAt === undefined) return;
    const ms = expiresAt * 1000 - Date.now();
    timer = ms > MAX_TIMER_MS
      ? setTimeout(wait, MAX_TIMER_MS)
      : setTimeout(expired, Math.max(0, ms));
  }
  wait();
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
