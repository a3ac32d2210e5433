import { Backoff } from "../resilience/backoff.ts";
import type { Clock, Moment } from "../resilience/clock.ts";
import { Ticker } from "../resilience/ticker.ts";
import { type Outcome, shownMethod } from "../rpc/backend.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import type { ValueStore } from "../values/value_store.ts";
import type { Audience } from "./audience.ts";
import type { GuardedBackend } from "./guarded_backend.ts";
import { type FeedObserver, type FeedWork, observed, type WorkEnd } from "./observer.ts";
import type { StreamValue } from "./run_stream.ts";
import { SourceOutcomes } from "./source_outcomes.ts";
import { channelsOf, type SourcePlan } from "./source_poller.ts";
import { LinkedAbort } from "../resilience/linked_abort.ts";

export interface StreamReaderOptions {
  clock: Clock;
  audience: Audience;
  observer: FeedObserver;
  values: ValueStore;
  backend: GuardedBackend;
}

/** Waits before a stream is opened again, in milliseconds; the first after one that gave values. */
const REOPEN = { minMs: 1000, maxMs: 30_000 } as const;

/**
 * Least time between two values of a stream, in milliseconds. Of what comes faster the newest is
 * shown and the rest left out unread: no screen shows more, and each value goes to every client.
 */
export const LEAST_GAP_MS = 50;

/** The clocks are looked at this often while a stream is open, in milliseconds. */
const LOOK_EVERY_MS = 1000;

/** Time between two looks after which a stream is opened anew, in milliseconds: it may be dead. */
const STANDSTILL_MS = 5000;

const EVENTS = {
  begins: "stream.failed",
  again: "stream.failed_again",
  goesOn: "stream.still_failing",
  ends: "stream.recovered",
} as const;

/**
 * One source whose values come by themselves: keeps its stream open and decides what clients hear
 * of each value and of each end. While there is no stream, or it is silent for too long, clients get
 * the last value, stale, at the source's pace.
 */
export class StreamReader implements Disposable {
  readonly plan: SourcePlan;
  readonly #options: StreamReaderOptions;
  readonly #outcomes: SourceOutcomes;
  readonly #log: Log = logOf("feed");
  readonly #stop = new AbortController();
  readonly #ticker: Ticker;
  #wasTried = false;
  #isReading = false;
  #backoff = new Backoff(REOPEN);
  /** No stream is opened before this, in monotonic milliseconds. */
  #notBefore = -Infinity;

  constructor(plan: SourcePlan, options: StreamReaderOptions) {
    this.plan = plan;
    this.#options = options;
    const { backend, call } = plan;
    const method = shownMethod(call);
    this.#outcomes = new SourceOutcomes(
      { channels: channelsOf(plan), backend, method, doing: "the stream of", events: EVENTS },
      options,
    );
    const { signal } = this.#stop;
    this.#ticker = new Ticker(plan.everyMs, { clock: options.clock, signal });
  }

  /** Whether a first stream was tried, whatever came of it. */
  get wasTried(): boolean {
    return this.#wasTried;
  }

  /** Reads until disposed of. */
  async run(): Promise<void> {
    const { channel, backend, call } = this.plan;
    const work: FeedWork = { kind: "stream", channel, backend, method: shownMethod(call) };
    const { clock, observer } = this.#options;
    for await (const _tick of this.#ticker) {
      if (clock.now() < this.#notBefore) {
        this.#outcomes.show();
        continue;
      }
      this.#isReading = true;
      try {
        await observed(observer, work, () => this.#read());
      } catch (error) {
        this.#onBroken(error);
      }
      this.#isReading = false;
    }
  }

  /** Opens a stream at once instead of at the next due time; one that is open is soon enough. */
  pollNow(): void {
    if (this.#isReading) return;
    this.#notBefore = -Infinity;
    this.#ticker.kick();
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  async #read(): Promise<WorkEnd> {
    const { backend, clock } = this.#options;
    using watch = new StreamWatch(this.#stop.signal, {
      clock,
      everyMs: this.plan.everyMs,
      onPace: () => this.#showIfStale(),
    });
    const answer = await backend.follow(this.plan.call, {
      signal: watch.signal,
      onOpened: () => {
        this.#wasTried = true;
        const { channel } = this.plan;
        this.#log.debug("stream.opened", { channel, backend: this.plan.backend });
      },
      onValue: (value) => this.#onValue(value, watch.signal),
    });
    const settled = answer.kind === "asked" ? answer.settle() : "late";
    if (this.#stop.signal.aborted) {
      if (settled !== "late") settled.announce();
      return { outcome: "abandoned" };
    }
    this.#wasTried = true;
    if (answer.kind !== "asked" || settled === "late") {
      if (watch.stoodStill) this.#log.debug("stream.reopened", { channel: this.plan.channel });
      if (answer.kind !== "refused" && backend.isClosed) this.#ticker.kick();
      else this.#outcomes.show();
      return { outcome: answer.kind === "refused" ? "refused" : "abandoned" };
    }
    const { outcome } = answer;
    this.#note(outcome.kind);
    const reason = outcome.kind === "ok" ? "the stream ended" : outcome.reason;
    this.#outcomes.failure(outcome.kind === "rejected" ? "rejected" : "unavailable", reason);
    settled.announce();
    this.#outcomes.show();
    this.#waitAWhile("reopenAfterMs" in outcome ? outcome.reopenAfterMs : undefined);
    return { outcome: outcome.kind, reason };
  }

  async #onValue({ outcome, cameAtMs }: StreamValue, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    this.#wasTried = true;
    this.#note(outcome.kind);
    if (outcome.kind === "unencodable") this.#outcomes.unencodable(outcome.reason);
    else if (this.#outcomes.value(outcome.value, { calledAt: momentAt(cameAtMs, clock) })) {
      this.#backoff = this.#backoff.reset();
    }
    this.#outcomes.show();
    await clock.sleep(LEAST_GAP_MS, { signal });
  }

  /** For metrics. */
  #note(outcome: Outcome["kind"]): void {
    const { backend } = this.plan;
    for (const { channel } of channelsOf(this.plan)) {
      this.#options.observer.onStream?.({ channel, backend, outcome });
    }
  }

  /** Puts off the next stream: as long as the backend asked for, and a while that grows. */
  #waitAWhile(askedForMs = 0): void {
    const { clock } = this.#options;
    const waitMs = Math.max(askedForMs, this.#backoff.waitMs());
    this.#backoff = this.#backoff.next();
    this.#notBefore = clock.now() + waitMs;
    clock.sleep(waitMs, this.#stop).then(
      () => this.#ticker.kick(),
      () => {}, // stopped
    );
  }

  #showIfStale(): void {
    const { values } = this.#options;
    const isStale = channelsOf(this.plan).some(({ channel }) => values.read(channel)?.is_stale);
    if (isStale) this.#outcomes.show();
  }

  #onBroken(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#wasTried = true;
    this.#outcomes.broken("the stream", error);
    this.#waitAWhile();
  }
}

/** A moment that is known by the wall clock alone. */
function momentAt(unixMs: number, clock: Clock): Moment {
  const agoMs = Math.max(0, clock.unixMs() - unixMs);
  return { monotonicMs: clock.now() - agoMs, unixMs };
}

interface StreamWatchOptions {
  clock: Clock;
  everyMs: number;
  /** Called every `everyMs`. */
  onPace: () => void;
}

/** What goes on beside an open stream: the source's pace, and a look whether the process stood still. */
class StreamWatch implements Disposable {
  readonly #over: LinkedAbort;
  stoodStill = false;

  constructor(stop: AbortSignal, { clock, everyMs, onPace }: StreamWatchOptions) {
    this.#over = new LinkedAbort([stop]);
    void this.#pace(
      new Ticker(everyMs, { clock, signal: this.signal, firstAfterMs: everyMs }),
      onPace,
    );
    void this.#look(clock);
  }

  /** Aborted with the source, or when the stream is not to be trusted any more. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  [Symbol.dispose](): void {
    this.#over[Symbol.dispose]();
    this.#over.abort();
  }

  async #pace(ticker: Ticker, onPace: () => void): Promise<void> {
    for await (const _tick of ticker) onPace();
  }

  async #look(clock: Clock): Promise<void> {
    const { signal } = this;
    for (let before = clock.unixMs();; before = clock.unixMs()) {
      try {
        await clock.sleep(LOOK_EVERY_MS, { signal });
      } catch {
        return; // over
      }
      if (clock.unixMs() - before < LOOK_EVERY_MS + STANDSTILL_MS) continue;
      this.stoodStill = true;
      this.#over.abort(new DOMException("The hub stood still", "AbortError"));
      return;
    }
  }
}
