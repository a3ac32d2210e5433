/**
 * Why a WebSocket ends, and what its client should do next: one table for the hub that closes, the
 * client that reads the code, and the documents (RFC 6455 section 7.4 for the numbers themselves).
 */

/** What a client that was closed should do. */
export type ReconnectAdvice =
  /** Come back after the wait the hub named (`reconnect_after_ms`), else with usual backoff. */
  | "after_announced_wait"
  /** Come back with backoff and resume; take fewer channels if it happens again. */
  | "with_backoff"
  /** Do not come back until what was wrong is mended. */
  | "not_without_a_fix";

export interface CloseReason {
  readonly code: number;
  /** At most 123 bytes of UTF-8 (RFC 6455 section 5.5). */
  readonly reason: string;
  readonly advice: ReconnectAdvice;
}

export const CLOSE = {
  shutdown: {
    code: 1001,
    reason: "the hub is shutting down",
    advice: "after_announced_wait",
  },
  badMessages: {
    code: 1008,
    reason: "too many messages the hub could not accept",
    advice: "not_without_a_fix",
  },
  rateLimited: {
    code: 1008,
    reason: "too many messages a second",
    advice: "not_without_a_fix",
  },
  expired: {
    code: 1008,
    reason: "the token has expired",
    advice: "not_without_a_fix",
  },
  revoked: {
    code: 1008,
    reason: "the token is not valid here any more",
    advice: "not_without_a_fix",
  },
  tooBig: {
    code: 1009,
    reason: "message too big",
    advice: "not_without_a_fix",
  },
  writeErrors: {
    code: 1011,
    reason: "the connection could not be written to",
    advice: "with_backoff",
  },
  slowClient: {
    code: 1013,
    reason: "slow client",
    advice: "with_backoff",
  },
} as const satisfies Record<string, CloseReason>;

export type CloseName = keyof typeof CLOSE;
