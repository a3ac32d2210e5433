import type { Clock } from "../resilience/clock.ts";
import { Ticker } from "../resilience/ticker.ts";
import { type Backend, type Call, type Outcome, shownMethod } from "../rpc/backend.ts";
import { logOf } from "../telemetry/log.ts";
import { ask, NO_RETRY } from "./call_with_retry.ts";
import { type FeedObserver, type FeedWork, observed, type WorkEnd } from "./observer.ts";
import { probeStream } from "./run_stream.ts";

/** How a backend is looked at while its breaker is not closed. */
export interface HealthCheckPlan {
  /** Default: the question that found it unavailable last. */
  readonly call?: Call;
  readonly everyMs: number;
  readonly timeoutMs: number;
}

export interface HealthChecksOptions {
  clock: Clock;
  observer: FeedObserver;
  backend: Backend;
  /** The backend's name. */
  name: string;
  plan: HealthCheckPlan;
  /** What is asked next; undefined: nothing this time. */
  nextCall: () => Call | undefined;
  /** A check begins; the function that is returned takes its outcome. */
  onBegin: () => (outcome: Outcome) => void;
}

/** Asks a backend at its pace, from {@linkcode HealthChecks.start} until it is stopped. */
export class HealthChecks implements Disposable {
  readonly #options: HealthChecksOptions;
  #running: AbortController | undefined;
  #toldOfRejected = false;

  constructor(options: HealthChecksOptions) {
    this.#options = options;
  }

  /** Begins; changes nothing if it has begun already. */
  start(): void {
    if (this.#running !== undefined) return;
    this.#running = new AbortController();
    this.#toldOfRejected = false;
    void this.#run(this.#running.signal);
  }

  stop(): void {
    this.#running?.abort();
    this.#running = undefined;
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, observer, name: backend, nextCall, plan: { everyMs } } = this.#options;
    const ticker = new Ticker(everyMs, { clock, signal, firstAfterMs: everyMs });
    for await (const _tick of ticker) {
      const call = nextCall();
      if (call === undefined) continue;
      const work: FeedWork = { kind: "health_check", backend, method: shownMethod(call) };
      await observed(observer, work, () => this.#check(call, signal));
    }
  }

  async #check(call: Call, signal: AbortSignal): Promise<WorkEnd> {
    const { clock, backend, name, observer, onBegin, plan: { timeoutMs } } = this.#options;
    const onOutcome = onBegin();
    const onAttempt = () => observer.onCall?.(name);
    let outcome: Outcome;
    try {
      outcome = call.stream
        ? await probeStream(backend, call, { clock, timeoutMs, signal, onAttempt })
        : await ask(backend, call, { clock, timeoutMs, retry: NO_RETRY, signal, onAttempt });
    } catch (error) {
      if (!signal.aborted) throw error;
      return { outcome: "abandoned" };
    }
    onOutcome(outcome);
    if (outcome.kind === "ok") return { outcome: "ok" };
    const { kind, reason } = outcome;
    if (kind === "rejected" && !this.#toldOfRejected) {
      this.#toldOfRejected = true;
      const method = shownMethod(call);
      logOf("feed").warning("health_check.rejected", { backend: name, method, why: reason });
    }
    return { outcome: kind, reason };
  }
}
