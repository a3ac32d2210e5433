/** A value as last stored, with the truth about its age. */
export interface Snapshot<V> {
  readonly value: V;
  /** When it was stored, in unix seconds. */
  readonly storedAt: number;
  /** Its age now, in milliseconds. */
  readonly ageMs: number;
  /** Older than the entry's `staleAfterMs`. */
  readonly isOld: boolean;
}

export interface StoreOptions {
  /** Monotonic milliseconds. */
  now: number;
  /** Wall clock, in unix seconds. */
  unixSeconds: number;
  /** Age from which the value counts as old, in milliseconds. Default: never. */
  staleAfterMs?: number;
}

interface Entry<V> {
  readonly value: V;
  readonly storedAt: number;
  readonly storedAtMs: number;
  readonly staleAfterMs: number;
}

/**
 * The last good value per key, with its age. Pure: it owns no clock. Holds as many entries as
 * there are keys, and keys are the channels of the configuration.
 */
export class SnapshotCache<V> {
  readonly #entries = new Map<string, Entry<V>>();

  store(key: string, value: V, options: StoreOptions): void {
    const { now, unixSeconds, staleAfterMs = Infinity } = options;
    this.#entries.set(key, { value, storedAt: unixSeconds, storedAtMs: now, staleAfterMs });
  }

  /** The value of `key` as it stands at `now`; `undefined` if there never was one. */
  read(key: string, now: number): Snapshot<V> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const ageMs = Math.max(0, Math.round(now - entry.storedAtMs));
    return {
      value: entry.value,
      storedAt: entry.storedAt,
      ageMs,
      isOld: ageMs >= entry.staleAfterMs,
    };
  }

  /** Forgets a key, for a channel that no longer exists. */
  forget(key: string): void {
    this.#entries.delete(key);
  }
}
