import { encodeStatusData, type JsonText } from "../protocol/codec.ts";
import { type ErrorEvent, errorEvent } from "../protocol/error_event.ts";
import type { StatusData } from "../protocol/status_data.ts";
import type { Clock } from "../resilience/clock.ts";
import type { SnapshotCache } from "../resilience/snapshot_cache.ts";
import { Ticker } from "../resilience/ticker.ts";
import type { Call, Outcome } from "../rpc/backend.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import { FailureLog } from "../telemetry/failure_log.ts";
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
  readonly staleAfterMs: number;
}

/** What `/status` says of a source. */
export interface SourceReport {
  /** Unix seconds; null before the first success. */
  readonly last_success: number | null;
  /** Why the last poll gave no value; null when it did. */
  readonly last_error: string | null;
  readonly is_stale: boolean;
  /** Age of the last good value in milliseconds; null before the first. */
  readonly age_ms: number | null;
}

export interface SourcePollerOptions {
  clock: Clock;
  audience: Audience;
  observer: FeedObserver;
  cache: SnapshotCache<JsonText>;
  backend: GuardedBackend;
}

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
  /** Why the value at hand is not current; undefined while it is. */
  #trouble: string | undefined;
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
  #ageWatch: AbortController | undefined;

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
    for await (const { skipped } of this.#ticker) {
      if (skipped > 0) {
        this.#log.debug("poll.skipped_ticks", { channel: this.plan.channel, skipped });
      }
      this.#isPolling = true;
      await observed(this.#options.observer, work, () => this.#poll());
      this.#isPolling = false;
    }
  }

  /** Polls at once instead of at the next due time; a poll under way is soon enough. */
  pollNow(): void {
    if (!this.#isPolling) this.#ticker.kick();
  }

  /** What is held is not current any more: from now on it is shown as stale. */
  doubt(why: string): void {
    this.#trouble ??= why;
    this.#ageWatch?.abort();
  }

  /** The last good value, flagged as it stands now; undefined if there never was one. */
  latest(): StatusData<JsonText> | undefined {
    const { cache, clock } = this.#options;
    const snapshot = cache.read(this.plan.channel, clock.now());
    if (snapshot === undefined) return undefined;
    const why = this.#trouble ??
      (snapshot.isOld ? `no newer value for ${snapshot.ageMs} ms` : undefined);
    return {
      data: snapshot.value,
      is_stale: why !== undefined,
      cached_at: snapshot.storedAt,
      age_ms: snapshot.ageMs,
      ...(why === undefined ? {} : { error: this.#unavailable(why) }),
    };
  }

  report(): SourceReport {
    const latest = this.latest();
    return {
      last_success: latest?.cached_at ?? null,
      last_error: this.#trouble ?? null,
      is_stale: latest?.is_stale ?? true,
      age_ms: latest?.age_ms ?? null,
    };
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#ageWatch?.abort();
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
      else this.#showCached();
      return { outcome: answer.kind === "refused" ? "refused" : "abandoned" };
    }
    const { outcome } = answer;
    const durationMs = clock.now() - startedAt;
    const { channel, backend: name } = this.plan;
    observer.onPoll?.({ channel, backend: name, outcome: outcome.kind, durationMs });
    if (outcome.kind === "ok") {
      settled.announce();
      this.#onValue(outcome.value, durationMs);
      return { outcome: "ok" };
    }
    if (outcome.kind === "unencodable") this.#onUnencodable(outcome.reason);
    else this.#onFailure(outcome);
    settled.announce();
    this.#showCached();
    return { outcome: outcome.kind, reason: outcome.reason };
  }

  #onUnencodable(why: string): void {
    const { audience, clock } = this.#options;
    const { channel, backend } = this.plan;
    this.doubt(`the newest value could not be encoded: ${why}`);
    audience.broadcastError(
      errorEvent("JSON_MARSHAL_ERROR", `a value of "${channel}" could not be encoded`, {
        timestamp: clock.unixSeconds(),
        details: why,
        data: { channel, backend },
      }),
    );
    this.#countFailure("JSON_MARSHAL_ERROR", why);
  }

  #onValue(value: JsonText, durationMs: number): void {
    const { cache, clock } = this.#options;
    const { channel, backend, staleAfterMs } = this.plan;
    this.#trouble = undefined;
    const now = clock.now();
    this.#failures.ended(now, { channel, backend });
    cache.store(channel, value, { now, unixSeconds: clock.unixSeconds(), staleAfterMs });
    this.#log.debug("poll.ok", { channel, backend, duration_ms: Math.round(durationMs) });
    this.#showCached();
    this.#watchAge();
  }

  #onFailure(outcome: Extract<Outcome, { kind: "unavailable" | "rejected" }>): void {
    const { audience, clock } = this.#options;
    const { channel, backend, call } = this.plan;
    this.#trouble = outcome.reason;
    this.#ageWatch?.abort();
    audience.broadcastError(
      errorEvent("RPC_FAILURE", `polling "${channel}" from backend "${backend}" failed`, {
        timestamp: clock.unixSeconds(),
        details: outcome.reason,
        data: { channel, backend, method: call.method, outcome: outcome.kind },
      }),
    );
    this.#countFailure("RPC_FAILURE", outcome.reason);
  }

  /** Sends the last good value as it stands now, if there is one. */
  #showCached(): void {
    const latest = this.latest();
    if (latest) this.#options.audience.broadcast(this.plan.channel, encodeStatusData(latest));
  }

  /** Tells clients when the value at hand grows old with no newer one and no failure in sight. */
  #watchAge(): void {
    const { clock } = this.#options;
    this.#ageWatch?.abort();
    const watch = new AbortController();
    this.#ageWatch = watch;
    clock.sleep(this.plan.staleAfterMs, { signal: watch.signal }).then(
      () => this.#showCached(),
      () => {}, // a newer value or a failure came first
    );
  }

  #countFailure(code: string, why: string): void {
    const { channel, backend } = this.plan;
    this.#failures.failed(this.#options.clock.now(), { channel, backend, code, why });
  }

  #unavailable(why: string): ErrorEvent {
    const { channel, backend } = this.plan;
    return errorEvent("RPC_UNAVAILABLE", `the value of "${channel}" is a cached one`, {
      timestamp: this.#options.clock.unixSeconds(),
      details: why,
      data: { channel, backend },
    });
  }
}
