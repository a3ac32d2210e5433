import type { JsonText } from "../protocol/codec.ts";
import type { StatusData } from "../protocol/status_data.ts";
import type { Clock } from "../resilience/clock.ts";
import { SnapshotCache } from "../resilience/snapshot_cache.ts";

/**
 * Latest values that came by `/publish`. They are as old as they are; nobody but their publisher
 * knows whether they still hold, so they are never called stale. Holds at most one value for each
 * status channel that no source feeds.
 */
export class Published {
  readonly #clock: Clock;
  readonly #cache = new SnapshotCache<JsonText>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Stores a value and returns it as it goes out. */
  store(channel: string, data: JsonText): StatusData<JsonText> {
    const now = this.#clock.now();
    const cached_at = this.#clock.unixSeconds();
    this.#cache.store(channel, data, { now, unixSeconds: cached_at });
    return { data, is_stale: false, cached_at, age_ms: 0 };
  }

  latest(channel: string): StatusData<JsonText> | undefined {
    const snapshot = this.#cache.read(channel, this.#clock.now());
    if (snapshot === undefined) return undefined;
    const { value, storedAt, ageMs } = snapshot;
    return { data: value, is_stale: false, cached_at: storedAt, age_ms: ageMs };
  }

  /** Forgets channels that are fed by a source from now on. */
  forget(channels: readonly string[]): void {
    for (const channel of channels) this.#cache.forget(channel);
  }
}
