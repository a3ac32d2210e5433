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
import type { Clock } from "../resilience/clock.ts";
import type { Call, Outcome } from "../rpc/backend.ts";
import type { Settled } from "./backend_answer.ts";
import type { BreakerNotices } from "./breaker_notices.ts";
import type { FeedObserver } from "./observer.ts";

/** A backend whose breaker is open, for another life of the hub; plain JSON. */
export interface BackendRecord extends OpenBreaker {
  readonly lastError: string | null;
}

export interface BackendHealthOptions {
  clock: Clock;
  /** The backend's name. */
  name: string;
  breaker: BreakerOptions;
  observer: FeedObserver;
  notices: BreakerNotices;
  /** The breaker's state has changed, and nobody was told yet. */
  onChanged: (to: Transition["to"]) => void;
  /** Clients were told that the breaker closed. */
  onClosed: () => void;
  /** An earlier life of the hub left the breaker open. Default: it is closed. */
  before: BackendRecord | undefined;
}

/**
 * What is known of a backend's health: the breaker, what went wrong last, which questions found
 * nobody, and until when it wants to be left alone. It judges outcomes and says whether to ask; it
 * asks nothing itself.
 */
export class BackendHealth {
  readonly #options: BackendHealthOptions;
  readonly #breaker: Breaker;
  /** Aborted when the breaker's state changes. */
  #era = new AbortController();
  /** Questions that found the backend unavailable since it last closed; no more than there are. */
  readonly #unanswered = new Set<Call>();
  #lastUnanswered: Call | undefined;
  /** Until when the backend asked to be left alone, in monotonic milliseconds. */
  #leftAloneUntil = -Infinity;
  #lastError: string | null;

  constructor(options: BackendHealthOptions) {
    const { breaker, before, clock } = options;
    this.#options = options;
    this.#breaker = before === undefined
      ? new Breaker(breaker)
      : Breaker.reopened(breaker, before, clock.now());
    this.#lastError = before?.lastError ?? null;
  }

  get state(): BreakerState {
    return this.#breaker.state;
  }

  /** Whether polls are let through as usual. */
  get isClosed(): boolean {
    return this.state.kind === "closed";
  }

  /** What went wrong last, since it last answered; null when nothing did. */
  get lastError(): string | null {
    return this.#lastError;
  }

  /** Aborted when the breaker's state changes: calls begun in the old one cannot matter. */
  get era(): AbortSignal {
    return this.#era.signal;
  }

  /** The question that found the backend unavailable last. */
  get lastUnanswered(): Call | undefined {
    return this.#lastUnanswered;
  }

  /** Whether the backend asked to be left alone, and the time is not over. */
  get isLeftAlone(): boolean {
    return this.#options.clock.now() < this.#leftAloneUntil;
  }

  /** Whether a question may be put now. */
  get mayAsk(): boolean {
    return this.retryAfterMs() === 0 && this.state.kind !== "half_open";
  }

  /** How long no poll is let through, as far as is known, in milliseconds. */
  retryAfterMs(): number {
    const now = this.#options.clock.now();
    return Math.max(this.#breaker.retryAfterMs(now), this.#leftAloneUntil - now, 0);
  }

  /** What another life of the hub needs to go on from; undefined while its breaker is closed. */
  openRecord(): BackendRecord | undefined {
    const open = this.#breaker.openRecord(this.#options.clock.now());
    if (open === undefined) return undefined;
    return { ...open, retryAfterMs: this.retryAfterMs(), lastError: this.#lastError };
  }

  /** Leave to put a question; undefined if none may be put. Settle it, or give it up, once. */
  tryAcquire(): Permit | undefined {
    const permit = this.mayAsk ? this.permitToReport() : undefined;
    if (permit?.trial) this.#options.observer.onBreaker?.(this.#options.name, "half_open");
    return permit;
  }

  /** Leave to report what was learned without a question. */
  permitToReport(): Permit | undefined {
    return this.#breaker.tryAcquire(this.#options.clock.now());
  }

  /** Whether an outcome of this permit would still count. */
  isCurrent(permit: Permit): boolean {
    return this.#breaker.isCurrent(permit);
  }

  /** The question of this permit was given up, and nothing was learned. */
  giveUp(permit: Permit): void {
    const { clock, observer, name } = this.#options;
    const { isLate } = this.#breaker.report(permit, "neutral", clock.now());
    if (permit.trial && !isLate) observer.onBreaker?.(name, "open");
  }

  /** Takes the outcome of this permit's question. */
  settle(permit: Permit, { call, outcome }: { call: Call; outcome: Outcome }): Settled {
    const { clock, observer, name } = this.#options;
    const now = clock.now();
    const result = this.#resultOf(call, outcome, permit);
    const leastOpenMs = this.#leaveAlone(outcome);
    const verdict = this.#breaker.report(permit, result, now, { leastOpenMs });
    if (verdict.isLate) return "late";
    if (permit.trial && result === "neutral") observer.onBreaker?.(name, "open");
    if (outcome.kind === "unavailable") {
      this.#unanswered.add(call);
      this.#lastUnanswered = call;
    } else this.#unanswered.delete(call);
    const { transition = this.#paysDebt(outcome) } = verdict;
    this.#lastError = outcome.kind === "ok" ? null : outcome.reason;
    this.#enter(verdict);
    return { announce: () => this.#announce(transition) };
  }

  /** Takes the outcome of a health check that began in this state. */
  onHealthCheck(outcome: Outcome, seenIn: BreakerState): void {
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

  /** Keeps away for as long as the backend asked for; how long that is, in milliseconds. */
  #leaveAlone(outcome: Outcome): number {
    if (outcome.kind !== "unavailable" || outcome.retryAfterMs === undefined) return 0;
    const { clock, breaker: { maxOpenForMs } } = this.#options;
    const ms = Math.min(outcome.retryAfterMs, maxOpenForMs);
    this.#leftAloneUntil = Math.max(this.#leftAloneUntil, clock.now() + ms);
    return ms;
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
    const { owesRecovery } = this.#options.notices;
    return owesRecovery && this.isClosed && isAlive(outcome) ? { to: "closed" } : undefined;
  }

  /** Does what a change of state brings with it, before anyone is told. */
  #enter({ transition }: BreakerVerdict): void {
    if (transition === undefined) return;
    const { observer, notices, name, onChanged } = this.#options;
    this.#era.abort();
    this.#era = new AbortController();
    if (transition.to === "closed") {
      this.#lastError = null;
      this.#unanswered.clear();
      this.#leftAloneUntil = -Infinity;
    }
    onChanged(transition.to);
    notices.log(transition, this.#lastError);
    observer.onBreaker?.(name, transition.to);
  }

  #announce(transition: Transition | undefined): void {
    if (transition === undefined) return;
    this.#options.notices.announce(transition, this.#lastError);
    if (transition.to === "closed") this.#options.onClosed();
  }
}

/** A backend that answers at all, even to say that the question is wrong, is there. */
function isAlive(outcome: Outcome): boolean {
  return outcome.kind !== "unavailable";
}
