import { onAbort } from "../resilience/on_abort.ts";
import type { Clock } from "../resilience/clock.ts";
import type { ValueStore } from "./value_store.ts";

export interface AgeWatchOptions {
  clock: Clock;
  /** A look failed; the watch goes on. */
  onFailed: (error: unknown) => void;
}

/** The clocks are looked at this often at least, in milliseconds, whatever is due. */
export const LOOK_EVERY_MS = 1000;

/**
 * Sees to it that a value grows old in time, until the signal is aborted. It polls nothing, encodes
 * nothing and waits for nothing but the clock: whatever becomes of polls, this goes on.
 */
export async function watchAges(
  values: ValueStore,
  { clock, onFailed }: AgeWatchOptions,
  signal: AbortSignal,
): Promise<void> {
  let wake = new AbortController();
  let wakesAt = -Infinity;
  // A value may grow old before the next look: then that comes earlier.
  const look = (channel: string) => {
    if (clock.now() + values.untilOldMs(channel) < wakesAt) wake.abort();
  };
  using _subscription = values.subscribe({
    onValue: look,
    onStanding: ({ channel }) => look(channel),
  });
  using _stop = onAbort(signal, () => wake.abort());
  while (!signal.aborted) {
    let waitMs = LOOK_EVERY_MS;
    try {
      values.look();
      waitMs = Math.min(LOOK_EVERY_MS, values.untilNextOldMs());
    } catch (error) {
      onFailed(error);
    }
    wake = new AbortController();
    wakesAt = clock.now() + waitMs;
    await clock.sleep(waitMs, { signal: wake.signal }).catch(() => {});
  }
}
