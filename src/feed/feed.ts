import type { JsonText } from "../protocol/codec.ts";
import type { StatusData } from "../protocol/status_data.ts";
import type { Clock } from "../resilience/clock.ts";
import { SnapshotCache } from "../resilience/snapshot_cache.ts";
import { logOf } from "../telemetry/log.ts";
import type { Audience } from "./audience.ts";
import { type BackendPlan, type BackendStatus, GuardedBackend } from "./guarded_backend.ts";
import type { FeedObserver } from "./observer.ts";
import { type SourcePlan, SourcePoller, type SourceReport } from "./source_poller.ts";

/** Every backend and every source of a hub. */
export interface FeedPlan {
  readonly backends: readonly BackendPlan[];
  readonly sources: readonly SourcePlan[];
}

/** What a feed goes on from that polls what another hub polled before. */
export interface Inheritance {
  /** The last good values, by channel. */
  readonly values: ReadonlyMap<string, StatusData<JsonText>>;
  /** Backends that clients were told are not polled, and not yet that they are again. */
  readonly backendsOut: ReadonlySet<string>;
}

const NOTHING: Inheritance = { values: new Map(), backendsOut: new Set() };

export interface FeedOptions {
  clock: Clock;
  audience: Audience;
  observer?: FeedObserver;
}

/** How long a backend gets to close, in milliseconds; then it is left to itself. */
const BACKEND_CLOSE_MS = 1000;

/**
 * Sources x breakers x cache: polls everything in the plan and tells the audience. A new plan can
 * be put into force at any time; what did not change keeps its state, what is gone is forgotten.
 */
export class Feed implements AsyncDisposable {
  readonly #options: FeedOptions;
  readonly #cache = new SnapshotCache<JsonText>();
  readonly #backends = new Map<string, GuardedBackend>();
  readonly #sources = new Map<string, SourcePoller>();
  readonly #loops = new Set<Promise<void>>();

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** The channels that sources feed. */
  channels(): string[] {
    return [...this.#sources.keys()];
  }

  /** The last good value of a channel, flagged as it stands now. */
  latest(channel: string): StatusData<JsonText> | undefined {
    return this.#sources.get(channel)?.latest();
  }

  /** Channels whose source was not tried yet. */
  untried(): string[] {
    return [...this.#sources.values()]
      .filter((source) => !source.wasTried)
      .map((source) => source.plan.channel);
  }

  backendReports(): Record<string, BackendStatus> {
    return mapValues(this.#backends, (backend) => backend.report());
  }

  sourceReports(): Record<string, SourceReport> {
    return mapValues(this.#sources, (source) => source.report());
  }

  /**
   * Puts a plan into force: starts what is new, stops what is gone, leaves the rest alone. A plan
   * that cannot be put into force changes nothing.
   *
   * @param inheritance What sources and backends that are new here go on from. Default: nothing.
   * @throws {TypeError} If a source names a backend that is not in the plan.
   * @throws What opening a backend throws.
   */
  async apply(plan: FeedPlan, inheritance = NOTHING): Promise<void> {
    const wanted = new Map(plan.backends.map((backend) => [backend.name, backend]));
    for (const { channel, backend } of plan.sources) {
      if (!wanted.has(backend)) {
        throw new TypeError(`Cannot feed "${channel}" as there is no backend "${backend}"`);
      }
    }
    const replaced = new Set<string>();
    for (const [name, { plan: { identity } }] of this.#backends) {
      if (wanted.get(name)?.identity !== identity) replaced.add(name);
    }
    const opened = this.#open(
      plan.backends.filter(({ name }) => !this.#backends.has(name) || replaced.has(name)),
      inheritance.backendsOut,
    );
    const sources = new Map(plan.sources.map((source) => [source.channel, source]));
    for (const [channel, source] of this.#sources) {
      const next = sources.get(channel);
      const isSame = next !== undefined && isEqual(next, source.plan) &&
        !replaced.has(next.backend);
      if (isSame) continue;
      source[Symbol.dispose]();
      this.#sources.delete(channel);
      // A channel that stays keeps its value: it is the last good one, whoever gave it.
      if (next === undefined) this.#cache.forget(channel);
    }
    const leaving = [...replaced].map((name) => this.#backends.get(name));
    for (const name of replaced) this.#backends.delete(name);
    for (const backend of opened) this.#backends.set(backend.plan.name, backend);
    for (const source of plan.sources) {
      if (this.#sources.has(source.channel)) continue;
      this.#inherit(source, inheritance.values.get(source.channel));
      this.#addSource(source);
    }
    await this.#close(leaving);
  }

  /** Stops every poll and closes every backend. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.apply({ backends: [], sources: [] });
    await Promise.all(this.#loops);
  }

  /** Opens all of them or, if one cannot be opened, none. */
  #open(plans: readonly BackendPlan[], backendsOut: ReadonlySet<string>): GuardedBackend[] {
    const opened: GuardedBackend[] = [];
    try {
      for (const plan of plans) {
        const owesRecovery = this.#backends.get(plan.name)?.owesRecovery ??
          backendsOut.has(plan.name);
        opened.push(this.#openOne(plan, owesRecovery));
      }
    } catch (error) {
      void this.#close(opened);
      throw error;
    }
    return opened;
  }

  #openOne(plan: BackendPlan, owesRecovery: boolean): GuardedBackend {
    const sourcesOfIt = () =>
      [...this.#sources.values()].filter((source) => source.plan.backend === plan.name);
    const { clock, audience, observer = {} } = this.#options;
    return new GuardedBackend(plan, {
      clock,
      audience,
      observer,
      owesRecovery,
      onOpened: () => {
        for (const source of sourcesOfIt()) source.doubt(`backend "${plan.name}" is not answering`);
      },
      onClosed: () => {
        for (const source of sourcesOfIt()) source.pollNow();
      },
    });
  }

  /** Closes backends whose time is over; one that does not close is the log's business alone. */
  async #close(backends: readonly (GuardedBackend | undefined)[]): Promise<void> {
    const { clock } = this.#options;
    const allClosed = new AbortController();
    const { signal } = allClosed;
    const tooLate = clock.sleep(BACKEND_CLOSE_MS, { signal }).then(() => {
      throw new Error(`not closed within ${BACKEND_CLOSE_MS} ms`);
    });
    tooLate.catch(() => {}); // in time
    await Promise.all(backends.map(async (backend) => {
      try {
        await Promise.race([backend?.[Symbol.asyncDispose](), tooLate]);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        logOf("feed").warning("backend.not_closed", { backend: backend?.plan.name, why });
      }
    }));
    allClosed.abort();
  }

  #inherit({ channel, staleAfterMs }: SourcePlan, value: StatusData<JsonText> | undefined): void {
    const now = this.#options.clock.now();
    if (value === undefined || this.#cache.read(channel, now) !== undefined) return;
    const { data, cached_at, age_ms } = value;
    const storedAt = now - age_ms;
    this.#cache.store(channel, data, { now: storedAt, unixSeconds: cached_at, staleAfterMs });
  }

  #addSource(plan: SourcePlan): void {
    const backend = this.#backends.get(plan.backend);
    if (backend === undefined) return; // `apply` has looked
    const { clock, audience, observer = {} } = this.#options;
    const source = new SourcePoller(plan, {
      clock,
      audience,
      observer,
      cache: this.#cache,
      backend,
    });
    if (!backend.isClosed || this.#cache.read(plan.channel, clock.now()) !== undefined) {
      source.doubt("no poll yet since the configuration, or the hub that polls, changed");
    }
    this.#sources.set(plan.channel, source);
    const loop = source.run().catch((error) => {
      logOf("feed").error("source.stopped", { channel: plan.channel, why: String(error) });
    }).finally(() => this.#loops.delete(loop));
    this.#loops.add(loop);
  }
}

function mapValues<V, W>(map: ReadonlyMap<string, V>, of: (value: V) => W): Record<string, W> {
  return Object.fromEntries([...map].map(([key, value]) => [key, of(value)]));
}

/** Plans are plain JSON-like data. */
function isEqual(a: SourcePlan, b: SourcePlan): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
