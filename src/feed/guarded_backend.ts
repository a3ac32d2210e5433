import type { BreakerOptions } from "../resilience/breaker.ts";
import { type Clock, momentOf } from "../resilience/clock.ts";
import { LinkedAbort } from "../resilience/linked_abort.ts";
import { Semaphore } from "../resilience/semaphore.ts";
import type { Backend, Call, Outcome } from "../rpc/backend.ts";
import type { Audience } from "./audience.ts";
import type { BackendAnswer } from "./backend_answer.ts";
import { BackendHealth, type BackendRecord } from "./backend_health.ts";
import { BreakerNotices } from "./breaker_notices.ts";
import { ask, NO_RETRY, type RetryPolicy } from "./call_with_retry.ts";
import { type FollowOptions, followStream } from "./follow_stream.ts";
import { type HealthCheckPlan, HealthChecks } from "./health_checks.ts";
import type { FeedObserver } from "./observer.ts";

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

/**
 * One backend as its sources share it: its client, what is known of its health, and the health check
 * that runs while its breaker is not closed.
 */
export class GuardedBackend implements AsyncDisposable {
  readonly plan: BackendPlan;
  readonly #backend: Backend;
  readonly #options: GuardedBackendOptions;
  readonly #stop = new AbortController();
  readonly #notices: BreakerNotices;
  readonly #health: BackendHealth;
  readonly #healthChecks: HealthChecks;
  readonly #inFlight: Semaphore;

  constructor(plan: BackendPlan, options: GuardedBackendOptions) {
    this.plan = plan;
    this.#options = options;
    const { before, clock, audience, observer, onOpened, onClosed } = options;
    const { name } = plan;
    // One that an earlier life left open was told of then, and not yet that it is over.
    const owesRecovery = before !== undefined || (options.owesRecovery ?? false);
    const notices = new BreakerNotices({ clock, audience, backend: name, owesRecovery });
    const health = new BackendHealth({
      clock,
      name,
      breaker: plan.breaker,
      observer,
      notices,
      before,
      onChanged: (to) => {
        if (to === "closed") return this.#healthChecks.stop();
        onOpened();
        this.#healthChecks.start();
      },
      onClosed,
    });
    this.#notices = notices;
    this.#health = health;
    this.#inFlight = new Semaphore({ permits: plan.maxInFlight, maxWaiting: MAX_WAITING_POLLS });
    this.#backend = plan.open();
    this.#healthChecks = new HealthChecks({
      clock,
      observer,
      backend: this.#backend,
      name,
      plan: plan.healthCheck,
      nextCall: () => this.#nextHealthCheck(),
      onBegin: () => {
        const seenIn = health.state;
        return (outcome) => health.onHealthCheck(outcome, seenIn);
      },
    });
    if (before === undefined) return;
    notices.logGoesOn({ ...before, retryAfterMs: health.retryAfterMs() });
    this.#healthChecks.start();
  }

  /** Whether polls are let through as usual. */
  get isClosed(): boolean {
    return this.#health.isClosed;
  }

  /** Whether clients were told that it is not polled, and not yet that it is again. */
  get owesRecovery(): boolean {
    return this.#notices.owesRecovery;
  }

  /** What another life of the hub needs to go on from; undefined while its breaker is closed. */
  openRecord(): BackendRecord | undefined {
    return this.#health.openRecord();
  }

  /** Puts a source's question, if the breaker allows, once it is its turn. */
  async ask(call: Call, signal: AbortSignal): Promise<BackendAnswer> {
    const { clock } = this.#options;
    if (!this.#health.mayAsk) return { kind: "refused" };
    using linked = new LinkedAbort([signal, this.#stop.signal, this.#health.era]);
    const stop = linked.signal;
    let slot: Disposable | undefined;
    try {
      slot = await this.#inFlight.acquire({ signal: stop });
    } catch {
      return { kind: "abandoned" };
    }
    if (slot === undefined) return { kind: "refused" };
    const permit = this.#health.tryAcquire();
    if (permit === undefined) {
      slot[Symbol.dispose]();
      return { kind: "refused" };
    }
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
        isWanted: () => this.#health.isCurrent(permit),
        onAttempt: () => {
          calledAt = momentOf(clock);
          this.#options.observer.onCall?.(this.plan.name);
        },
      });
    } catch (error) {
      slot[Symbol.dispose]();
      if (!stop.aborted) throw error;
      this.#health.giveUp(permit);
      return { kind: "abandoned" };
    }
    return {
      kind: "asked",
      outcome,
      calledAt,
      settle: () => {
        const settled = this.#health.settle(permit, { call, outcome });
        slot[Symbol.dispose](); // only now: the next call must know what this one meant
        return settled;
      },
    };
  }

  /**
   * Opens a stream, if the breaker allows, and reads it to its end, which is the answer's outcome. It
   * takes no place among the calls at a time, as it would keep it.
   */
  follow(call: Call, options: FollowOptions): Promise<BackendAnswer> {
    const { clock, observer } = this.#options;
    const { name, timeoutMs } = this.plan;
    return followStream(this.#backend, call, {
      ...options,
      clock,
      timeoutMs,
      health: this.#health,
      stop: this.#stop.signal,
      onAttempt: () => observer.onCall?.(name),
    });
  }

  report(): BackendStatus {
    const { state, lastError } = this.#health;
    return {
      state: state.kind,
      consecutive_failures: state.failures,
      retry_after_ms: Math.round(this.#health.retryAfterMs()),
      last_error: lastError,
    };
  }

  /**
   * It is taken out of the configuration: clients that were told that it is not polled hear that this
   * is over.
   */
  tellRemoved(): void {
    this.#notices.tellRemoved();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#healthChecks[Symbol.dispose]();
    await this.#backend[Symbol.asyncDispose]();
  }

  #nextHealthCheck(): Call | undefined {
    const { isLeftAlone, lastUnanswered } = this.#health;
    if (isLeftAlone) return undefined;
    return this.plan.healthCheck.call ?? lastUnanswered ?? this.#options.anyCall?.();
  }
}
