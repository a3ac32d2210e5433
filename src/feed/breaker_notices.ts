import { errorEvent } from "../protocol/error_event.ts";
import type { Transition } from "../resilience/breaker.ts";
import type { Clock } from "../resilience/clock.ts";
import { FailureLog } from "../telemetry/failure_log.ts";
import type { Audience } from "./audience.ts";
import { breakerEvent } from "./breaker_event.ts";

export interface BreakerNoticesOptions {
  clock: Clock;
  audience: Audience;
  /** The backend's name. */
  backend: string;
  /** Clients were told that it is not polled, and not yet that it is again. */
  owesRecovery: boolean;
}

/** What is said of a backend's breaker: lines in the log, and errors to clients. */
export class BreakerNotices {
  readonly #options: BreakerNoticesOptions;
  readonly #openings = new FailureLog({
    room: "feed",
    // A trial that fails opens it again.
    events: {
      begins: "breaker.opened",
      again: "breaker.opened",
      goesOn: "breaker.still_open",
      ends: "breaker.closed",
    },
    times: "openings",
  });
  #owesRecovery: boolean;

  constructor(options: BreakerNoticesOptions) {
    this.#options = options;
    this.#owesRecovery = options.owesRecovery;
  }

  /** Whether clients were told that the backend is not polled, and not yet that it is again. */
  get owesRecovery(): boolean {
    return this.#owesRecovery;
  }

  /** Logs that the breaker is open since an earlier life of the hub. */
  logGoesOn(
    { failures, retryAfterMs, lastError }: {
      failures: number;
      retryAfterMs: number;
      lastError: string | null;
    },
  ): void {
    const { clock, backend } = this.#options;
    this.#openings.failed(clock.now(), {
      backend,
      consecutive_failures: failures,
      retry_after_ms: Math.round(retryAfterMs),
      why: lastError,
      since: "an earlier life of the hub",
    });
  }

  /** Logs a change of the breaker's state. */
  log(transition: Transition, lastError: string | null): void {
    const { clock, backend } = this.#options;
    if (transition.to === "closed") {
      this.#openings.ended(clock.now(), { backend, code: "RPC_RECOVERED" });
      return;
    }
    this.#openings.failed(clock.now(), {
      backend,
      code: "CIRCUIT_OPEN",
      consecutive_failures: transition.failures,
      retry_after_ms: Math.round(transition.retryAfterMs),
      why: lastError,
    });
  }

  /** Tells clients of a change of the breaker's state. */
  announce(transition: Transition, lastError: string | null): void {
    const { audience, clock, backend } = this.#options;
    this.#owesRecovery = transition.to === "open";
    const timestamp = clock.unixSeconds();
    audience.error(breakerEvent(transition, backend, { timestamp, lastError }));
  }

  /**
   * The backend is taken out of the configuration: clients that were told that it is not polled hear
   * that this is over.
   */
  tellRemoved(): void {
    if (!this.#owesRecovery) return;
    this.#owesRecovery = false;
    const { clock, audience, backend } = this.#options;
    this.#openings.ended(clock.now(), { backend, code: "RPC_RECOVERED", removed: true });
    audience.error(
      errorEvent("RPC_RECOVERED", `backend "${backend}" is not asked any more: it was removed`, {
        timestamp: clock.unixSeconds(),
        data: { backend, removed: true },
      }),
    );
  }
}
