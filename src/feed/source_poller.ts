import type { JsonText } from "../protocol/codec.ts";
import { Backoff } from "../resilience/backoff.ts";
import type { Clock, Moment } from "../resilience/clock.ts";
import { Ticker } from "../resilience/ticker.ts";
import { type Call, shownMethod } from "../rpc/backend.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import type { ValueStore } from "../values/value_store.ts";
import type { Audience } from "./audience.ts";
import type { GuardedBackend } from "./guarded_backend.ts";
import { type FeedObserver, type FeedWork, observed, type WorkEnd } from "./observer.ts";
import { type SelectedChannel, SourceOutcomes } from "./source_outcomes.ts";

/** What to ask for, for which channels, and how often. */
export interface SourcePlan {
  /** The channel it feeds; of several the first, which names it. */
  readonly channel: string;
  /** What its channels get of an answer. Default: the one channel gets the whole. */
  readonly channels?: readonly SelectedChannel[];
  readonly backend: string;
  readonly call: Call;
  readonly everyMs: number;
  /** From the first poll, which is made at once, to the second. Default: `everyMs`. */
  readonly phaseMs?: number;
  /** Whether it is polled together with all sources of its pace that say so. Default false. */
  readonly inStep?: boolean;
}

/** The channels of a source. */
export function channelsOf({ channel, channels = [{ channel }] }: SourcePlan) {
  return channels;
}

export interface SourcePollerOptions {
  clock: Clock;
  audience: Audience;
  observer: FeedObserver;
  values: ValueStore;
  backend: GuardedBackend;
}

/** Waits after polls that broke in this program itself, in milliseconds, beside the source's pace. */
const AFTER_A_BREAK = { minMs: 1000, maxMs: 60_000 } as const;

const EVENTS = {
  begins: "poll.failed",
  again: "poll.failed_again",
  goesOn: "poll.still_failing",
  ends: "poll.recovered",
} as const;

/**
 * One source: asks its backend at its pace, never twice at a time, and decides what clients hear
 * of each outcome. Whatever happens, a value that may not be current any more is sent as stale.
 */
export class SourcePoller implements Disposable {
  readonly plan: SourcePlan;
  readonly #options: SourcePollerOptions;
  readonly #log: Log = logOf("feed");
  readonly #stop = new AbortController();
  readonly #ticker: Ticker;
  readonly #outcomes: SourceOutcomes;
  #wasTried = false;
  #isPolling = false;

  constructor(plan: SourcePlan, options: SourcePollerOptions) {
    this.plan = plan;
    this.#options = options;
    const { backend, call, everyMs, phaseMs = everyMs, inStep = false } = plan;
    this.#outcomes = new SourceOutcomes(
      {
        channels: channelsOf(plan),
        backend,
        method: shownMethod(call),
        doing: "polling",
        events: EVENTS,
      },
      options,
    );
    const { signal } = this.#stop;
    this.#ticker = new Ticker(everyMs, {
      clock: options.clock,
      signal,
      secondAfterMs: phaseMs,
      inStep,
    });
  }

  /** Whether a first poll was made, whatever came of it. */
  get wasTried(): boolean {
    return this.#wasTried;
  }

  /** Polls until disposed of. */
  async run(): Promise<void> {
    const { channel, backend, call } = this.plan;
    const work: FeedWork = { kind: "poll", channel, backend, method: shownMethod(call) };
    let backoff = new Backoff(AFTER_A_BREAK);
    for await (const { skipped } of this.#ticker) {
      if (skipped > 0) {
        this.#log.debug("poll.skipped_ticks", { channel: this.plan.channel, skipped });
      }
      this.#isPolling = true;
      try {
        await observed(this.#options.observer, work, () => this.#poll());
        backoff = backoff.reset();
      } catch (error) {
        this.#onBroken(error);
        const { signal } = this.#stop;
        await this.#options.clock.sleep(backoff.waitMs(), { signal }).catch(() => {});
        backoff = backoff.next();
      }
      this.#isPolling = false;
    }
  }

  /** Polls at once instead of at the next due time; a poll under way is soon enough. */
  pollNow(): void {
    if (!this.#isPolling) this.#ticker.kick();
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  async #poll(): Promise<WorkEnd> {
    const { backend, clock, observer } = this.#options;
    const startedAt = clock.now();
    const answer = await backend.ask(this.plan.call, this.#stop.signal);
    const settled = answer.kind === "asked" ? answer.settle() : "late";
    if (this.#stop.signal.aborted) { // stopped or reloaded meanwhile: the outcome changes nothing
      if (settled !== "late") settled.announce(); // the breaker's state has changed all the same
      return { outcome: "abandoned" };
    }
    this.#wasTried = true;
    if (answer.kind !== "asked" || settled === "late") {
      // The cached value is due if the breaker is open; if it is closed again, ask anew.
      if (answer.kind !== "refused" && backend.isClosed) this.#ticker.kick();
      else this.#outcomes.show();
      return { outcome: answer.kind === "refused" ? "refused" : "abandoned" };
    }
    const { outcome } = answer;
    const durationMs = clock.now() - startedAt;
    const { backend: name } = this.plan;
    for (const { channel } of channelsOf(this.plan)) {
      observer.onPoll?.({ channel, backend: name, outcome: outcome.kind, durationMs });
    }
    if (outcome.kind === "ok") {
      settled.announce();
      this.#onValue(outcome.value, { calledAt: answer.calledAt, durationMs });
      return { outcome: "ok" };
    }
    if (outcome.kind === "unencodable") this.#outcomes.unencodable(outcome.reason);
    else this.#outcomes.failure(outcome.kind, outcome.reason);
    settled.announce();
    this.#outcomes.show();
    return { outcome: outcome.kind, reason: outcome.reason };
  }

  #onValue(text: JsonText, asked: { calledAt: Moment; durationMs: number }): void {
    const { channel, backend } = this.plan;
    if (this.#outcomes.value(text, asked)) {
      const duration_ms = Math.round(asked.durationMs);
      this.#log.debug("poll.ok", { channel, backend, duration_ms });
    }
    this.#outcomes.show();
  }

  /** The poll itself broke. */
  #onBroken(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#wasTried = true;
    this.#outcomes.broken("the poll", error);
  }
}
