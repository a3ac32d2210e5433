import {
  Breaker,
  type BreakerOptions,
  type BreakerState,
  type BreakerVerdict,
  type CallResult,
  type OpenBreaker,
  type Permit,
  type Transition,
} from "../resilience/breaker.ts";
import { type Clock, type Moment, momentOf } from "../resilience/clock.ts";
import { LinkedAbort } from "../resilience/linked_abort.ts";
import { onAbort } from "../resilience/on_abort.ts";
import { Semaphore } from "../resilience/semaphore.ts";
import { errorEvent } from "../protocol/error_event.ts";
import type { Backend, Call, Outcome, StreamEnd } from "../rpc/backend.ts";
import { FailureLog } from "../telemetry/failure_log.ts";
import { ask, NO_RETRY, type RetryPolicy } from "./call_with_retry.ts";
import type { Audience } from "./audience.ts";
import { breakerEvent } from "./breaker_event.ts";
import { type HealthCheckPlan, HealthChecks } from "./health_checks.ts";
import type { FeedObserver } from "./observer.ts";
import { ALIVE, runStream, type StreamValue } from "./run_stream.ts";

/** How to ask one backend. */
export interface BackendPlan {
  readonly name: string;
  /** Changes whenever anything about the backend changes; equal plans are the same backend. */
  readonly identity: string;
  readonly timeoutMs: number;
  readonly retry: RetryPolicy;
  readonly breaker: BreakerOptions;
  /** Calls at a time, over all sources. */
  readonly maxInFlight: number;
  readonly healthCheck: HealthCheckPlan;
  /** Opens the backend's client; called once, when the plan comes into force. */
  readonly open: () => Backend;
}

/**
 * Polls of one backend that may wait for their turn. Each source waits at most once, so that more
 * is a configuration beyond all measure; its poll is left out then and the cached value shown.
 */
const MAX_WAITING_POLLS = 4096;

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
  /** A question that a source asks, where none is known that was not answered. */
  anyCall?: () => Call | undefined;
  /** An earlier life of the hub left its breaker open. Default: it is closed. */
  before?: BackendRecord;
}

/** A backend whose breaker is open, for another life of the hub; plain JSON. */
export interface BackendRecord extends OpenBreaker {
  readonly lastError: string | null;
}

/** What came of a question put through {@linkcode GuardedBackend.ask}. */
export type BackendAnswer =
  /** The breaker does not let the question through. */
  | { readonly kind: "refused" }
  /** The breaker changed its state meanwhile, or the answer is not waited for any more. */
  | { readonly kind: "abandoned" }
  /**
   * The backend was asked. Call `settle` once, in the same turn as what the outcome means to you:
   * between the two, another outcome could open the breaker.
   */
  | {
    readonly kind: "asked";
    readonly outcome: Outcome | StreamEnd;
    /** When the call that had this outcome began. */
    readonly calledAt: Moment;
    readonly settle: () => Settled;
  };

export interface FollowOptions {
  signal: AbortSignal;
  /** The stream has come about. */
  onOpened: () => void;
  /** Waited for before the next value is asked for. */
  onValue: (value: StreamValue) => void | Promise<void>;
}

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
  readonly #healthChecks: HealthChecks;
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
  readonly #inFlight: Semaphore;
  /** Questions that found the backend unavailable since it last closed; no more than there are. */
  readonly #unanswered = new Set<Call>();
  #lastUnanswered: Call | undefined;
  /** Until when the backend asked to be left alone, in monotonic milliseconds. */
  #leftAloneUntil = -Infinity;
  #owesRecovery: boolean;
  #lastError: string | null = null;

  constructor(plan: BackendPlan, options: GuardedBackendOptions) {
    this.plan = plan;
    this.#options = options;
    this.#owesRecovery = options.owesRecovery ?? false;
    const { before, clock } = options;
    this.#breaker = before === undefined
      ? new Breaker(plan.breaker)
      : Breaker.reopened(plan.breaker, before, clock.now());
    this.#inFlight = new Semaphore({ permits: plan.maxInFlight, maxWaiting: MAX_WAITING_POLLS });
    this.#backend = plan.open();
    this.#healthChecks = new HealthChecks({
      clock,
      observer: options.observer,
      backend: this.#backend,
      name: plan.name,
      plan: plan.healthCheck,
      nextCall: () => this.#nextHealthCheck(),
      onBegin: () => {
        const seenIn = this.#breaker.state;
        return (outcome) => this.#onHealthCheck(outcome, seenIn);
      },
    });
    if (before) this.#goOnFrom(before);
  }

  /** Whether polls are let through as usual. */
  get isClosed(): boolean {
    return this.#breaker.state.kind === "closed";
  }

  /** Whether clients were told that it is not polled, and not yet that it is again. */
  get owesRecovery(): boolean {
    return this.#owesRecovery;
  }

  /** What another life of the hub needs to go on from; undefined while its breaker is closed. */
  openRecord(): BackendRecord | undefined {
    const open = this.#breaker.openRecord(this.#options.clock.now());
    if (open === undefined) return undefined;
    return { ...open, retryAfterMs: this.#retryAfterMs(), lastError: this.#lastError };
  }

  /** Puts a source's question, if the breaker allows, once it is its turn. */
  async ask(call: Call, signal: AbortSignal): Promise<BackendAnswer> {
    const { clock } = this.#options;
    if (!this.#mayAsk()) return { kind: "refused" };
    using linked = new LinkedAbort([signal, this.#stop.signal, this.#era.signal]);
    const stop = linked.signal;
    let slot: Disposable | undefined;
    try {
      slot = await this.#inFlight.acquire({ signal: stop });
    } catch {
      return { kind: "abandoned" };
    }
    if (slot === undefined) return { kind: "refused" };
    const permit = this.#mayAsk() ? this.#breaker.tryAcquire(clock.now()) : undefined;
    if (permit === undefined) {
      slot[Symbol.dispose]();
      return { kind: "refused" };
    }
    if (permit.trial) this.#options.observer.onBreaker?.(this.plan.name, "half_open");
    const { timeoutMs, retry } = this.plan;
    let calledAt = momentOf(clock);
    let outcome: Outcome;
    try {
      outcome = await ask(this.#backend, call, {
        clock,
        timeoutMs,
        // One question is trial enough for a backend that is just coming back.
        retry: permit.trial ? NO_RETRY : retry,
        signal: stop,
        isWanted: () => this.#breaker.isCurrent(permit),
        onAttempt: () => {
          calledAt = momentOf(clock);
          this.#options.observer.onCall?.(this.plan.name);
        },
      });
    } catch (error) {
      slot[Symbol.dispose]();
      if (!stop.aborted) throw error;
      const { isLate } = this.#breaker.report(permit, "neutral", clock.now());
      if (permit.trial && !isLate) this.#options.observer.onBreaker?.(this.plan.name, "open");
      return { kind: "abandoned" };
    }
    return {
      kind: "asked",
      outcome,
      calledAt,
      settle: () => {
        const settled = this.#settle(permit, { call, outcome });
        slot[Symbol.dispose](); // only now: the next call must know what this one meant
        return settled;
      },
    };
  }

  /**
   * Opens a stream, if the breaker allows, and reads it to its end, which is the answer's outcome. A
   * stream counts for the breaker twice: when it proves the backend alive, and when it ends. It takes
   * no place among the calls at a time, as it would keep it.
   */
  async follow(call: Call, options: FollowOptions): Promise<BackendAnswer> {
    const { clock, observer } = this.#options;
    const permit = this.#mayAsk() ? this.#breaker.tryAcquire(clock.now()) : undefined;
    if (permit === undefined) return { kind: "refused" };
    if (permit.trial) observer.onBreaker?.(this.plan.name, "half_open");
    observer.onCall?.(this.plan.name);
    const calledAt = momentOf(clock);
    const stop = new AbortController();
    const onStop = () => stop.abort(new DOMException("The stream was given up", "AbortError"));
    using links = new DisposableStack();
    for (const signal of [options.signal, this.#stop.signal]) links.use(onAbort(signal, onStop));
    let era = onAbort(this.#era.signal, onStop);
    links.defer(() => era[Symbol.dispose]());
    let unproven: Permit | undefined = permit;
    const onAlive = () => {
      if (unproven === undefined) return;
      // What this stream itself changes does not end it.
      era[Symbol.dispose]();
      const settled = this.#settle(unproven, { call, outcome: ALIVE });
      unproven = undefined;
      if (settled === "late") return onStop();
      era = onAbort(this.#era.signal, onStop);
      settled.announce();
    };
    const { timeoutMs } = this.plan;
    let outcome: StreamEnd;
    try {
      outcome = await runStream(this.#backend, call, {
        clock,
        signal: stop.signal,
        timeoutMs,
        steadyMs: timeoutMs,
        onOpened: options.onOpened,
        onAlive,
        onValue: options.onValue,
      });
    } catch (error) {
      if (unproven !== undefined) {
        const { isLate } = this.#breaker.report(unproven, "neutral", clock.now());
        if (unproven.trial && !isLate) observer.onBreaker?.(this.plan.name, "open");
      }
      if (!stop.signal.aborted) throw error;
      return { kind: "abandoned" };
    }
    const end = unproven ?? this.#breaker.tryAcquire(clock.now());
    if (end === undefined) return { kind: "abandoned" };
    return { kind: "asked", outcome, calledAt, settle: () => this.#settle(end, { call, outcome }) };
  }

  report(): BackendStatus {
    return {
      state: this.#breaker.state.kind,
      consecutive_failures: this.#breaker.consecutiveFailures,
      retry_after_ms: Math.round(this.#retryAfterMs()),
      last_error: this.#lastError,
    };
  }

  /**
   * It is taken out of the configuration: clients that were told that it is not polled hear that this
   * is over.
   */
  tellRemoved(): void {
    if (!this.#owesRecovery) return;
    this.#owesRecovery = false;
    const { clock, audience } = this.#options;
    const { name } = this.plan;
    this.#openings.ended(clock.now(), { backend: name, code: "RPC_RECOVERED", removed: true });
    audience.error(
      errorEvent("RPC_RECOVERED", `backend "${name}" is not asked any more: it was removed`, {
        timestamp: clock.unixSeconds(),
        data: { backend: name, removed: true },
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#healthChecks[Symbol.dispose]();
    await this.#backend[Symbol.asyncDispose]();
  }

  /** The breaker is open since an earlier life: clients were told then, and not yet that it is over. */
  #goOnFrom({ lastError, failures }: BackendRecord): void {
    this.#owesRecovery = true;
    this.#lastError = lastError;
    this.#openings.failed(this.#options.clock.now(), {
      backend: this.plan.name,
      consecutive_failures: failures,
      retry_after_ms: Math.round(this.#retryAfterMs()),
      why: lastError,
      since: "an earlier life of the hub",
    });
    this.#healthChecks.start();
  }

  /** How long no poll is let through, as far as is known, in milliseconds. */
  #retryAfterMs(): number {
    const now = this.#options.clock.now();
    return Math.max(this.#breaker.retryAfterMs(now), this.#leftAloneUntil - now, 0);
  }

  #mayAsk(): boolean {
    return this.#retryAfterMs() === 0 && this.#breaker.state.kind !== "half_open";
  }

  /** Keeps away for as long as the backend asked for; how long that is, in milliseconds. */
  #leaveAlone(outcome: Outcome): number {
    if (outcome.kind !== "unavailable" || outcome.retryAfterMs === undefined) return 0;
    const ms = Math.min(outcome.retryAfterMs, this.plan.breaker.maxOpenForMs);
    this.#leftAloneUntil = Math.max(this.#leftAloneUntil, this.#options.clock.now() + ms);
    return ms;
  }

  #settle(permit: Permit, { call, outcome }: { call: Call; outcome: Outcome }): Settled {
    const now = this.#options.clock.now();
    const result = this.#resultOf(call, outcome, permit);
    const leastOpenMs = this.#leaveAlone(outcome);
    const verdict = this.#breaker.report(permit, result, now, { leastOpenMs });
    if (verdict.isLate) return "late";
    if (permit.trial && result === "neutral") {
      this.#options.observer.onBreaker?.(this.plan.name, "open");
    }
    if (outcome.kind === "unavailable") {
      this.#unanswered.add(call);
      this.#lastUnanswered = call;
    } else this.#unanswered.delete(call);
    const { transition = this.#paysDebt(outcome) } = verdict;
    this.#lastError = outcome.kind === "ok" ? null : outcome.reason;
    this.#enter(verdict);
    return { announce: () => this.#announce(transition) };
  }

  /**
   * What an outcome means to the breaker. *Rejected* says nothing of a backend whose other calls
   * fail: it ends a trial well only where the call is one that was not answered before.
   */
  #resultOf(call: Call, outcome: Outcome, permit: Permit): CallResult {
    if (outcome.kind === "unavailable") return "failure";
    if (outcome.kind !== "rejected") return "success";
    return permit.trial && this.#unanswered.has(call) ? "success" : "neutral";
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
      this.#healthChecks.start();
      this.#openings.failed(clock.now(), {
        backend: this.plan.name,
        code: "CIRCUIT_OPEN",
        consecutive_failures: transition.failures,
        retry_after_ms: Math.round(transition.retryAfterMs),
        why: this.#lastError,
      });
    } else {
      this.#lastError = null;
      this.#unanswered.clear();
      this.#leftAloneUntil = -Infinity;
      this.#healthChecks.stop();
      this.#openings.ended(clock.now(), { backend: this.plan.name, code: "RPC_RECOVERED" });
    }
    observer.onBreaker?.(this.plan.name, transition.to);
  }

  #announce(transition: Transition | undefined): void {
    if (transition === undefined) return;
    const { audience, clock, onClosed } = this.#options;
    this.#owesRecovery = transition.to === "open";
    audience.error(breakerEvent(transition, this.plan.name, {
      timestamp: clock.unixSeconds(),
      lastError: this.#lastError,
    }));
    if (transition.to === "closed") onClosed();
  }

  #nextHealthCheck(): Call | undefined {
    if (this.#options.clock.now() < this.#leftAloneUntil) return undefined;
    return this.plan.healthCheck.call ?? this.#lastUnanswered ?? this.#options.anyCall?.();
  }

  #onHealthCheck(outcome: Outcome, seenIn: BreakerState): void {
    // A backend may reject this question and have an answer to no other.
    if (outcome.kind === "ok" || outcome.kind === "unencodable") {
      const verdict = this.#breaker.closeEarly(seenIn);
      this.#enter(verdict);
      this.#announce(verdict.transition);
      return;
    }
    this.#leaveAlone(outcome);
    this.#lastError = `health check: ${outcome.reason}`;
  }
}

/** A backend that answers at all, even to say that the question is wrong, is there. */
function isAlive(outcome: Outcome): boolean {
  return outcome.kind !== "unavailable";
}
