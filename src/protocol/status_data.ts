import type { ErrorEvent } from "./error_event.ts";

/** What a status frame carries: a value with the truth about its age. */
export interface StatusData<T = unknown> {
  readonly data: T;
  /** True when the value is not what the backend would say now, as far as the hub can tell. */
  readonly is_stale: boolean;
  /** When the call that gave the value began, or it was published, in unix seconds. */
  readonly cached_at: number;
  /** The value's age when the frame was made, in milliseconds. */
  readonly age_ms: number;
  /** Why it is stale; absent when fresh. */
  readonly error?: ErrorEvent;
}
