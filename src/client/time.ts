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

/** A moment by both clocks. */
export interface ClientMoment {
  /** Monotonic milliseconds. */
  readonly now: number;
  readonly unixSeconds: number;
}

export function momentBy(clock: ClientClock): ClientMoment {
  return { now: clock.now(), unixSeconds: clock.unixSeconds() };
}

/** Two readings of the wall clock, in whole seconds, may be this far from the truth. */
const WALL_CLOCK_GRAIN_MS = 2000;

/**
 * Milliseconds since a moment. Monotonic clocks stand still while a machine sleeps: where the wall
 * clock has gone on for longer, it is the one to believe. One that was set back makes nothing
 * younger.
 */
export function elapsedMs(clock: ClientClock, since: ClientMoment): number {
  const ms = clock.now() - since.now;
  const byWall = (clock.unixSeconds() - since.unixSeconds) * 1000;
  return byWall - ms > WALL_CLOCK_GRAIN_MS ? byWall : ms;
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
