/** Time as the client sees it: injected, so that tests move it by hand. */
export interface ClientClock {
  /** Monotonic milliseconds from some fixed point. */
  now(): number;
  /** Wall-clock time in whole unix seconds. */
  unixSeconds(): number;
  /**
   * Resolves after `ms` milliseconds.
   *
   * @throws The signal's reason, as soon as it is aborted.
   */
  sleep(ms: number, options?: { signal?: AbortSignal }): Promise<void>;
}

/** The runtime's own clock. */
export const systemClock: ClientClock = {
  now: () => performance.now(),
  unixSeconds: () => Math.floor(Date.now() / 1000),
  sleep,
};

function sleep(ms: number, options: { signal?: AbortSignal } = {}): Promise<void> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** Waits `ms` milliseconds or until the signal is aborted; true if the time passed. Never throws. */
export async function pause(
  clock: ClientClock,
  ms: number,
  signal: AbortSignal,
): Promise<boolean> {
  if (ms <= 0) return !signal.aborted;
  try {
    await clock.sleep(ms, { signal });
    return !signal.aborted;
  } catch (error) {
    if (!signal.aborted) throw error;
    return false;
  }
}

/** Resolves once the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
