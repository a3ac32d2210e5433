import type { Audience } from "../../src/feed/audience.ts";
import type { BackendPlan } from "../../src/feed/guarded_backend.ts";
import { type ApplyOptions, Feed } from "../../src/feed/feed.ts";
import type { FeedObserver } from "../../src/feed/observer.ts";
import type { SourcePlan } from "../../src/feed/source_poller.ts";
import type { JsonText } from "../../src/protocol/codec.ts";
import type { ErrorEvent } from "../../src/protocol/error_event.ts";
import type { StatusData } from "../../src/protocol/status_data.ts";
import { watchAges } from "../../src/values/age_watch.ts";
import type { ChannelSettings } from "../../src/values/channel_settings.ts";
import { sourceReport } from "../../src/values/source_report.ts";
import { ValueStore } from "../../src/values/value_store.ts";
import { assertEquals } from "./assert.ts";
import { FakeClock } from "./fake_clock.ts";
import type { ScriptedBackend } from "./scripted_backend.ts";

/** Keeps what clients would hear, in order. */
export class RecordedAudience implements Audience {
  readonly frames: { at: number; type: string; data: unknown }[] = [];
  readonly #clock: FakeClock;
  readonly #onFrame: (line: string) => void;

  constructor(clock: FakeClock, onFrame: (line: string) => void = () => {}) {
    this.#clock = clock;
    this.#onFrame = onFrame;
  }

  value(channel: string, status: StatusData<JsonText>): void {
    this.add(channel, { ...status, data: JSON.parse(status.data) });
  }

  error(event: ErrorEvent): void {
    this.add(event.code, event);
  }

  add(type: string, data: unknown): void {
    const frame = { at: this.#clock.now() / 1000, type, data };
    this.frames.push(frame);
    this.#onFrame(lineOf(frame));
  }

  /** Each frame in a line: seconds, what it is, and what it says. */
  get lines(): string[] {
    return this.frames.map(lineOf);
  }

  /** The data of every frame of this type or code. */
  of<T = Record<string, unknown>>(type: string): T[] {
    return this.frames.filter((frame) => frame.type === type).map(({ data }) => data as T);
  }

  /** Forgets what was heard so far. */
  clear(): void {
    this.frames.length = 0;
  }
}

function lineOf({ at, type, data }: RecordedAudience["frames"][number]): string {
  const { data: value, is_stale } = data as StatusData;
  const { retry_after_ms, channel } = (value ?? {}) as Record<string, unknown>;
  if (type === "CIRCUIT_OPEN") return `${at} ${type} ${retry_after_ms}`;
  if (type === "RPC_RECOVERED") return `${at} ${type}`;
  if (/^[A-Z_]+$/.test(type)) return `${at} ${type} ${channel}`;
  if (is_stale === undefined) return `${at} ${type}`;
  return `${at} ${type} ${JSON.stringify(value)} ${is_stale ? "stale" : "fresh"}`;
}

export const HEALTH = "Health";

/** The contract's defaults, without retries and with the middle of every jitter. */
export function backendPlan(
  backend: ScriptedBackend,
  changes: Partial<BackendPlan> = {},
): BackendPlan {
  return {
    name: "core",
    identity: "1",
    // Long enough never to come.
    timeoutMs: 360_000_000,
    retry: { attempts: 1, minMs: 0, maxMs: 1 },
    breaker: { failures: 3, openForMs: 30_000, maxOpenForMs: 300_000, random: () => 0.5 },
    maxInFlight: 8,
    healthCheck: { call: { method: HEALTH }, everyMs: 8000, timeoutMs: 360_000_000 },
    open: () => backend,
    ...changes,
  };
}

/** A source, and how long what it gives is current. */
export type TestSource = SourcePlan & { readonly staleAfterMs: number };

/** What a feed is to do, of sources with their limits. */
export interface TestPlan {
  readonly backends: readonly BackendPlan[];
  readonly sources: readonly TestSource[];
}

/** A source of the method that is named as its channel. */
export function sourcePlan(channel: string, changes: Partial<TestSource> = {}): TestSource {
  return {
    channel,
    backend: "core",
    call: { method: channel },
    everyMs: 5000,
    staleAfterMs: 15_000,
    ...changes,
  };
}

/**
 * A running feed with its clock, its values and its audience; disposing of it checks that nothing
 * stays behind.
 */
export class FeedBench implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly audience: RecordedAudience;
  readonly feed: Feed;
  readonly values: ValueStore;
  readonly #stopWatch = new AbortController();

  constructor(options: { observer?: FeedObserver; onFrame?: (line: string) => void } = {}) {
    const { observer, onFrame } = options;
    this.audience = new RecordedAudience(this.clock, onFrame);
    this.values = new ValueStore({ clock: this.clock });
    this.values.subscribe({
      onStanding: ({ channel, cause, status }) => {
        if (cause === "time" && status) this.audience.value(channel, status);
      },
    });
    const failed = (error: unknown) => {
      throw error;
    };
    void watchAges(this.values, { clock: this.clock, onFailed: failed }, this.#stopWatch.signal);
    this.feed = new Feed({
      clock: this.clock,
      values: this.values,
      audience: this.audience,
      ...(observer ? { observer } : {}),
    });
  }

  static async start(plan: TestPlan, options: ApplyOptions = {}): Promise<FeedBench> {
    const bench = new FeedBench();
    await bench.apply(plan, options);
    return bench;
  }

  /** Puts a plan into force, as the server does. */
  async apply({ backends, sources }: TestPlan, options: ApplyOptions = {}): Promise<void> {
    const plans = sources.map(({ staleAfterMs: _, ...plan }) => plan);
    const settings = new Map<string, ChannelSettings>(
      sources.map(({ channel, backend, staleAfterMs }) => [
        channel,
        { feeder: { kind: "backend", backend }, staleAfterMs },
      ]),
    );
    const onStopped = () => this.values.configure(settings);
    await this.feed.apply({ backends, sources: plans }, { ...options, onStopped });
  }

  /** What `/status` says of a source. */
  report(channel: string) {
    return sourceReport(this.values, channel);
  }

  /** Moves time on to the given second. */
  async until(second: number): Promise<void> {
    await this.clock.advance(second * 1000 - this.clock.now());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopWatch.abort();
    await this.feed[Symbol.asyncDispose]();
    assertEquals(this.clock.sleeping, 0, "somebody still sleeps");
  }
}
