import type { JsonText } from "../protocol/codec.ts";
import { type ErrorCode, errorEvent } from "../protocol/error_event.ts";
import { Backoff } from "../resilience/backoff.ts";
import type { Clock, Moment } from "../resilience/clock.ts";
import { Ticker } from "../resilience/ticker.ts";
import type { Call, Outcome } from "../rpc/backend.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import { FailureLog } from "../telemetry/failure_log.ts";
import { MAX_VALUE_LENGTH } from "../values/value.ts";
import type { ValueStore } from "../values/value_store.ts";
import type { Audience } from "./audience.ts";
import type { GuardedBackend } from "./guarded_backend.ts";
import { type FeedObserver, observed, type Work, type WorkEnd } from "./observer.ts";

/** What to ask for one channel, and how often. */
export interface SourcePlan {
  readonly channel: string;
  readonly backend: string;
  readonly call: Call;
  readonly everyMs: number;
  /** From the first poll, which is made at once, to the second. Default: `everyMs`. */
  readonly phaseMs?: number;
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
  readonly #failures = new FailureLog({
    room: "feed",
    events: {
      begins: "poll.failed",
      again: "poll.failed_again",
      goesOn: "poll.still_failing",
      ends: "poll.recovered",
    },
    times: "failures",
  });
  #wasTried = false;
  #isPolling = false;

  constructor(plan: SourcePlan, options: SourcePollerOptions) {
    this.plan = plan;
    this.#options = options;
    const { everyMs, phaseMs = everyMs } = plan;
    const { signal } = this.#stop;
    this.#ticker = new Ticker(everyMs, { clock: options.clock, signal, secondAfterMs: phaseMs });
  }

  /** Whether a first poll was made, whatever came of it. */
  get wasTried(): boolean {
    return this.#wasTried;
  }

  /** Polls until disposed of. */
  async run(): Promise<void> {
    const { channel, backend, call: { method } } = this.plan;
    const work: Work = { kind: "poll", channel, backend, method };
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
      else this.#show();
      return { outcome: answer.kind === "refused" ? "refused" : "abandoned" };
    }
    const { outcome } = answer;
    const durationMs = clock.now() - startedAt;
    const { channel, backend: name } = this.plan;
    observer.onPoll?.({ channel, backend: name, outcome: outcome.kind, durationMs });
    if (outcome.kind === "ok") {
      settled.announce();
      this.#onValue(outcome.value, { calledAt: answer.calledAt, durationMs });
      return { outcome: "ok" };
    }
    if (outcome.kind === "unencodable") this.#onUnencodable(outcome.reason);
    else this.#onFailure(outcome);
    settled.announce();
    this.#show();
    return { outcome: outcome.kind, reason: outcome.reason };
  }

  #onUnencodable(why: string): void {
    const { channel } = this.plan;
    const reason = `the newest value could not be encoded: ${why}`;
    this.#options.values.doubt(channel, reason, { keepsReason: true });
    this.#tell("JSON_MARSHAL_ERROR", `a value of "${channel}" could not be encoded`, why);
  }

  #onValue(text: JsonText, asked: { calledAt: Moment; durationMs: number }): void {
    const { values, clock } = this.#options;
    const { channel, backend } = this.plan;
    const { calledAt, durationMs } = asked;
    if (values.put(channel, { text, calledAt, origin: "poll" }) === "too_large") {
      this.#onUnencodable(`it is longer than ${MAX_VALUE_LENGTH} characters`);
    } else {
      this.#failures.ended(clock.now(), { channel, backend });
      this.#log.debug("poll.ok", { channel, backend, duration_ms: Math.round(durationMs) });
    }
    this.#show();
  }

  #onFailure({ kind, reason }: Extract<Outcome, { kind: "unavailable" | "rejected" }>): void {
    this.#options.values.doubt(this.plan.channel, reason);
    this.#tellFailure(kind, reason);
  }

  /** The poll itself broke: for clients that is one more way of giving no value. */
  #onBroken(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#wasTried = true;
    const why = `the poll broke: ${error instanceof Error ? error.message : String(error)}`;
    try {
      this.#options.values.doubt(this.plan.channel, why);
      this.#tellFailure("broken", why);
      this.#show();
    } catch (error) { // whoever hears of it may be what is broken
      this.#log.error("poll.not_told", { channel: this.plan.channel, why: String(error) });
    }
  }

  #tellFailure(outcome: "unavailable" | "rejected" | "broken", why: string): void {
    const { channel, backend, call: { method } } = this.plan;
    const message = `polling "${channel}" from backend "${backend}" failed`;
    this.#tell("RPC_FAILURE", message, why, { method, outcome });
  }

  #tell(code: ErrorCode, message: string, details: string, data: object = {}): void {
    const { audience, clock } = this.#options;
    const { channel, backend } = this.plan;
    const timestamp = clock.unixSeconds();
    audience.error(
      errorEvent(code, message, { timestamp, details, data: { channel, backend, ...data } }),
    );
    this.#countFailure(code, details);
  }

  /** Sends the last good value as it stands now, if there is one. */
  #show(): void {
    const { audience, values } = this.#options;
    const status = values.read(this.plan.channel);
    if (status) audience.value(this.plan.channel, status);
  }

  #countFailure(code: string, why: string): void {
    const { channel, backend } = this.plan;
    this.#failures.failed(this.#options.clock.now(), { channel, backend, code, why });
  }
}
