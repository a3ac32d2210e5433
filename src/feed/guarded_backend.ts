import {
  Breaker,
  type BreakerOptions,
  type BreakerVerdict,
  type CallResult,
  type Permit,
  type Transition,
} from "../resilience/breaker.ts";
import type { Clock } from "../resilience/clock.ts";
import { Ticker } from "../resilience/ticker.ts";
import type { Backend, Call, Outcome } from "../rpc/backend.ts";
import { FailureLog } from "../telemetry/failure_log.ts";
import { ask, NO_RETRY, type RetryPolicy } from "./call_with_retry.ts";
import type { Audience } from "./audience.ts";
import { breakerEvent } from "./breaker_event.ts";
import { type FeedObserver, observed, type Work, type WorkEnd } from "./observer.ts";

/** How to ask one backend. */
export interface BackendPlan {
  readonly name: string;
  /** Changes whenever anything about the backend changes; equal plans are the same backend. */
  readonly identity: string;
  readonly timeoutMs: number;
  readonly retry: RetryPolicy;
  readonly breaker: BreakerOptions;
  readonly healthCheck: {
    readonly call: Call;
    readonly everyMs: number;
    readonly timeoutMs: number;
  };
  /** Opens the backend's client; called once, when the plan comes into force. */
  readonly open: () => Backend;
}

/** What `/status` says of a backend. */
export interface BackendStatus {
  readonly state: "closed" | "open" | "half_open";
  readonly consecutive_failures: number;
  readonly retry_after_ms: number;
  /** What went wrong last, since it last answered; null when nothing did. */
  readonly last_error: string | null;
}

export interface GuardedBackendOptions {
  clock: Clock;
  audience: Audience;
  observer: FeedObserver;
  /** The breaker closed: the sources should ask again at once. */
  onClosed: () => void;
  /** The breaker opened: nothing the sources hold is current any more. */
  onOpened: () => void;
  /**
   * Clients were told that the backend of this name is not polled, and not yet that it is again:
   * the plan changed in between. Default false.
   */
  owesRecovery?: boolean;
}

/** What came of a question put through {@linkcode GuardedBackend.ask}. */
export type Answer =
  /** The breaker does not let the question through. */
  | { readonly kind: "refused" }
  /** The breaker changed its state meanwhile, or nobody waits for the answer any more. */
  | { readonly kind: "abandoned" }
  /**
   * The backend was asked. Call `settle` once, in the same turn as what the outcome means to you:
   * between the two, another outcome could open the breaker.
   */
  | { readonly kind: "asked"; readonly outcome: Outcome; readonly settle: () => Settled };

/** What an outcome meant to the breaker. */
export type Settled =
  /** It changed its state meanwhile: the outcome counts for nothing. */
  | "late"
  /** Tells clients if the outcome changed the breaker's state. */
  | { readonly announce: () => void };

/**
 * One backend as its sources share it: its client, its breaker, and the health check that runs
 * while the breaker is not closed.
 */
export class GuardedBackend implements AsyncDisposable {
  readonly plan: BackendPlan;
  readonly #backend: Backend;
  readonly #breaker: Breaker;
  readonly #options: GuardedBackendOptions;
  readonly #stop = new AbortController();
  /** Aborted when the breaker's state changes: calls begun in the old one cannot matter. */
  #era = new AbortController();
  #healthChecks: AbortController | undefined;
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
  #lastError: string | null = null;

  constructor(plan: BackendPlan, options: GuardedBackendOptions) {
    this.plan = plan;
    this.#options = options;
    this.#owesRecovery = options.owesRecovery ?? false;
    this.#breaker = new Breaker(plan.breaker);
    this.#backend = plan.open();
  }

  /** Whether polls are let through as usual. */
  get isClosed(): boolean {
    return this.#breaker.state.kind === "closed";
  }

  /** Whether clients were told that it is not polled, and not yet that it is again. */
  get owesRecovery(): boolean {
    return this.#owesRecovery;
  }

  /** Puts a source's question, if the breaker allows. */
  async ask(call: Call, signal: AbortSignal): Promise<Answer> {
    const { clock } = this.#options;
    const permit = this.#breaker.tryAcquire(clock.now());
    if (permit === undefined) return { kind: "refused" };
    if (permit.trial) this.#options.observer.onBreaker?.(this.plan.name, "half_open");
    const { timeoutMs, retry } = this.plan;
    const stop = AbortSignal.any([signal, this.#stop.signal, this.#era.signal]);
    let outcome: Outcome;
    try {
      outcome = await ask(this.#backend, call, {
        timeoutMs,
        // One question is trial enough for a backend that is just coming back.
        retry: permit.trial ? NO_RETRY : retry,
        signal: stop,
        isWanted: () => this.#breaker.isCurrent(permit),
        onAttempt: () => this.#options.observer.onCall?.(this.plan.name),
      });
    } catch (error) {
      if (!stop.aborted) throw error;
      const { isLate } = this.#breaker.report(permit, "neutral", clock.now());
      if (permit.trial && !isLate) this.#options.observer.onBreaker?.(this.plan.name, "open");
      return { kind: "abandoned" };
    }
    return { kind: "asked", outcome, settle: () => this.#settle(permit, outcome) };
  }

  report(): BackendStatus {
    return {
      state: this.#breaker.state.kind,
      consecutive_failures: this.#breaker.consecutiveFailures,
      retry_after_ms: Math.round(this.#breaker.retryAfterMs(this.#options.clock.now())),
      last_error: this.#lastError,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#healthChecks?.abort();
    await this.#backend[Symbol.asyncDispose]();
  }

  #settle(permit: Permit, outcome: Outcome): Settled {
    const result = resultOf(outcome, permit);
    const verdict = this.#breaker.report(permit, result, this.#options.clock.now());
    if (verdict.isLate) return "late";
    const { transition = this.#paysDebt(outcome) } = verdict;
    this.#lastError = outcome.kind === "ok" ? null : outcome.reason;
    this.#enter(verdict);
    return { announce: () => this.#announce(transition) };
  }

  /** The first answer after a change of plan, where the backend before it left an open breaker. */
  #paysDebt(outcome: Outcome): Transition | undefined {
    return this.#owesRecovery && this.isClosed && isAlive(outcome) ? { to: "closed" } : undefined;
  }

  /** Does what a change of state brings with it, before anyone is told. */
  #enter({ transition }: BreakerVerdict): void {
    if (transition === undefined) return;
    const { clock, observer, onOpened } = this.#options;
    this.#era.abort();
    this.#era = new AbortController();
    if (transition.to === "open") {
      onOpened();
      this.#startHealthChecks();
      this.#openings.failed(clock.now(), {
        backend: this.plan.name,
        code: "CIRCUIT_OPEN",
        consecutive_failures: transition.failures,
        retry_after_ms: Math.round(transition.retryAfterMs),
        why: this.#lastError,
      });
    } else {
      this.#lastError = null;
      this.#healthChecks?.abort();
      this.#healthChecks = undefined;
      this.#openings.ended(clock.now(), { backend: this.plan.name, code: "RPC_RECOVERED" });
    }
    observer.onBreaker?.(this.plan.name, transition.to);
  }

  #announce(transition: Transition | undefined): void {
    if (transition === undefined) return;
    const { audience, clock, onClosed } = this.#options;
    this.#owesRecovery = transition.to === "open";
    audience.broadcastError(breakerEvent(transition, this.plan.name, clock.unixSeconds()));
    if (transition.to === "closed") onClosed();
  }

  #startHealthChecks(): void {
    if (this.#healthChecks !== undefined) return; // already running since the first opening
    this.#healthChecks = new AbortController();
    void this.#checkHealth(this.#healthChecks.signal);
  }

  async #checkHealth(signal: AbortSignal): Promise<void> {
    const { clock, observer } = this.#options;
    const { name: backend, healthCheck: { call: { method }, everyMs } } = this.plan;
    const work: Work = { kind: "health_check", backend, method };
    const ticker = new Ticker(everyMs, { clock, signal, firstAfterMs: everyMs });
    for await (const _tick of ticker) {
      await observed(observer, work, () => this.#checkHealthOnce(signal));
    }
  }

  async #checkHealthOnce(signal: AbortSignal): Promise<WorkEnd> {
    const { call, timeoutMs } = this.plan.healthCheck;
    const seenIn = this.#breaker.state;
    let outcome: Outcome;
    try {
      outcome = await ask(this.#backend, call, {
        timeoutMs,
        retry: NO_RETRY,
        signal,
        onAttempt: () => this.#options.observer.onCall?.(this.plan.name),
      });
    } catch (error) {
      if (!signal.aborted) throw error;
      return { outcome: "abandoned" };
    }
    const end: WorkEnd = outcome.kind === "ok"
      ? { outcome: "ok" }
      : { outcome: outcome.kind, reason: outcome.reason };
    if (isAlive(outcome)) {
      const verdict = this.#breaker.closeEarly(seenIn);
      this.#enter(verdict);
      this.#announce(verdict.transition);
    } else this.#lastError = end.reason ?? null;
    return end;
  }
}

/** A backend that answers at all, even to say that the question is wrong, is there. */
function isAlive(outcome: Outcome): boolean {
  return outcome.kind !== "unavailable";
}

/** What an outcome means to the breaker: *rejected* does not count, except that it ends a trial. */
function resultOf(outcome: Outcome, permit: Permit): CallResult {
  if (outcome.kind === "unavailable") return "failure";
  return outcome.kind === "rejected" && !permit.trial ? "neutral" : "success";
}
