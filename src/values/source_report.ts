import type { ValueStore } from "./value_store.ts";

/** What `/status` says of a channel that a source feeds. */
export interface SourceReport {
  /** When the call that gave the value began, in unix seconds; null before the first success. */
  readonly last_success: number | null;
  /** Why there is no current value; null while there is one. */
  readonly last_error: string | null;
  readonly is_stale: boolean;
  /** Age of the last good value in milliseconds; null before the first. */
  readonly age_ms: number | null;
}

/** The same truth as clients see, one that never answered included. */
export function sourceReport(values: ValueStore, channel: string): SourceReport {
  const status = values.read(channel);
  return {
    last_success: status?.cached_at ?? null,
    last_error: status?.error?.details ?? values.doubtOf(channel) ?? null,
    is_stale: status?.is_stale ?? true,
    age_ms: status?.age_ms ?? null,
  };
}
