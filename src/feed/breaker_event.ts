import { type ErrorEvent, errorEvent } from "../protocol/error_event.ts";
import type { Transition } from "../resilience/breaker.ts";

export interface BreakerEventOptions {
  /** Unix seconds. */
  timestamp: number;
  /** What came of the last call; null if that is not known. */
  lastError: string | null;
}

/** What clients are told of a breaker that opened or closed. */
export function breakerEvent(
  transition: Transition,
  backend: string,
  { timestamp, lastError }: BreakerEventOptions,
): ErrorEvent {
  if (transition.to === "closed") {
    return errorEvent("RPC_RECOVERED", `backend "${backend}" answers again`, {
      timestamp,
      data: { backend },
    });
  }
  const retry_after_ms = Math.round(transition.retryAfterMs);
  return errorEvent(
    "CIRCUIT_OPEN",
    `backend "${backend}" is not polled for ${retry_after_ms} ms after ${transition.failures} failures in a row`,
    {
      timestamp,
      ...(lastError === null ? {} : { details: lastError }),
      data: { backend, retry_after_ms },
    },
  );
}
