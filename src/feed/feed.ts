import type { Clock } from "../resilience/clock.ts";
import { withDeadline } from "../resilience/with_deadline.ts";
import { logOf } from "../telemetry/log.ts";
import type { ValueStore } from "../values/value_store.ts";
import type { Audience } from "./audience.ts";
import type { BackendRecord } from "./backend_health.ts";
import { type BackendPlan, type BackendStatus, GuardedBackend } from "./guarded_backend.ts";
import type { FeedObserver } from "./observer.ts";
import { channelsOf, type SourcePlan, SourcePoller } from "./source_poller.ts";
import { StreamReader } from "./stream_reader.ts";

/** Every backend and every source of a hub. */
export interface FeedPlan {
  readonly backends: readonly BackendPlan[];
  readonly sources: readonly SourcePlan[];
}

export interface ApplyOptions {
  /**
   * Of the backends that are new here, those that clients were told are not polled, and not yet that
   * they are again: another hub polled before. Default: none.
   */
  backendsOut?: ReadonlySet<string>;
  /** Of those, the ones whose breaker an earlier life of this hub left open. Default: none. */
  open?: ReadonlyMap<string, BackendRecord>;
  /**
   * The values at hand are of the same sources, asked by another hub: they are as good as they are.
   * Default: until a source was asked, what its channel holds is in doubt.
   */
  goesOn?: boolean;
  /** Called once what is gone was stopped, before what is new starts. Default: nothing is. */
  onStopped?: () => void;
}

export interface FeedOptions {
  clock: Clock;
  values: ValueStore;
  audience: Audience;
  observer?: FeedObserver;
}

/** How long a backend gets to close, in milliseconds; then it is left to itself. */
const BACKEND_CLOSE_MS = 1000;

/**
 * Sources x breakers: polls everything in the plan into the store of values and tells the audience.
 * A new plan can be put into force at any time; what did not change keeps its state.
 */
export class Feed implements AsyncDisposable {
  readonly #options: FeedOptions;
  readonly #backends = new Map<string, GuardedBackend>();
  readonly #sources = new Map<string, SourcePoller | StreamReader>();
  readonly #loops = new Set<Promise<void>>();
  /** Channels whose source is not polled any more, though it was not stopped. */
  readonly #ended = new Set<string>();

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** The channels that sources feed. */
  channels(): string[] {
    return [...this.#sources.values()].flatMap(channelNames);
  }

  /** Channels whose source was not tried yet. */
  untried(): string[] {
    return [...this.#sources.values()]
      .filter((source) => !source.wasTried)
      .flatMap(channelNames);
  }

  /** Asks the sources of these channels at once, instead of at their next due time. */
  pollNow(channels: readonly string[]): void {
    const wanted = new Set(channels);
    for (const source of this.#sources.values()) {
      if (channelNames(source).some((channel) => wanted.has(channel))) source.pollNow();
    }
  }

  /** Channels whose source is not polled any more, though it should be. */
  ended(): string[] {
    return [...this.#ended];
  }

  backendReports(): Record<string, BackendStatus> {
    return Object.fromEntries(
      [...this.#backends].map(([name, backend]) => [name, backend.report()]),
    );
  }

  /** Of a backend whose breaker is open, what another life of the hub needs to go on from. */
  openRecord(backend: string): BackendRecord | undefined {
    return this.#backends.get(backend)?.openRecord();
  }

  /**
   * Puts a plan into force: starts what is new, stops what is gone, leaves the rest alone. A plan
   * that cannot be put into force changes nothing.
   *
   * @throws {TypeError} If a source names a backend that is not in the plan.
   * @throws What opening a backend throws.
   */
  async apply(plan: FeedPlan, options: ApplyOptions = {}): Promise<void> {
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
      options,
    );
    const sources = new Map(plan.sources.map((source) => [source.channel, source]));
    for (const [channel, source] of this.#sources) {
      const next = sources.get(channel);
      const isSame = next !== undefined && isEqual(next, source.plan) &&
        !replaced.has(next.backend);
      if (isSame) continue;
      source[Symbol.dispose]();
      this.#sources.delete(channel);
      for (const each of channelNames(source)) this.#ended.delete(each);
    }
    const leaving = [...replaced].map((name) => this.#backends.get(name));
    for (const name of replaced) {
      if (!wanted.has(name)) this.#backends.get(name)?.tellRemoved();
      this.#backends.delete(name);
    }
    options.onStopped?.();
    for (const backend of opened) this.#backends.set(backend.plan.name, backend);
    for (const source of plan.sources) {
      if (!this.#sources.has(source.channel)) this.#addSource(source, options);
    }
    await this.#close(leaving);
  }

  /** Stops every poll and closes every backend, for now or for good; clients are told nothing. */
  async stop(): Promise<void> {
    const leaving = [...this.#backends.values()];
    for (const source of this.#sources.values()) source[Symbol.dispose]();
    for (const each of [this.#sources, this.#backends, this.#ended]) each.clear();
    await this.#close(leaving);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Promise.all(this.#loops);
  }

  /** Opens all of them or, if one cannot be opened, none. */
  #open(plans: readonly BackendPlan[], { backendsOut, open }: ApplyOptions): GuardedBackend[] {
    const opened: GuardedBackend[] = [];
    try {
      for (const plan of plans) {
        const owesRecovery = this.#backends.get(plan.name)?.owesRecovery ??
          backendsOut?.has(plan.name) ?? false;
        opened.push(this.#openOne(plan, owesRecovery, open?.get(plan.name)));
      }
    } catch (error) {
      void this.#close(opened);
      throw error;
    }
    return opened;
  }

  #openOne(plan: BackendPlan, owesRecovery: boolean, before?: BackendRecord): GuardedBackend {
    const sourcesOfIt = () =>
      [...this.#sources.values()].filter((source) => source.plan.backend === plan.name);
    const { clock, audience, values, observer = {} } = this.#options;
    return new GuardedBackend(plan, {
      clock,
      audience,
      observer,
      owesRecovery,
      anyCall: () => sourcesOfIt()[0]?.plan.call,
      ...(before ? { before } : {}),
      onOpened: () => {
        const why = `backend "${plan.name}" is not answering`;
        for (const channel of sourcesOfIt().flatMap(channelNames)) {
          values.doubt(channel, why, { keepsReason: true });
        }
      },
      onClosed: () => {
        for (const source of sourcesOfIt()) source.pollNow();
      },
    });
  }

  /** Closes backends that are not needed any more; one that does not close in time is logged. */
  async #close(backends: readonly (GuardedBackend | undefined)[]): Promise<void> {
    const { clock } = this.#options;
    await Promise.all(backends.map(async (backend) => {
      if (backend === undefined) return;
      let why = `not closed within ${BACKEND_CLOSE_MS} ms`;
      try {
        const close = async () => await backend[Symbol.asyncDispose]();
        if (!(await withDeadline(clock, BACKEND_CLOSE_MS, close)).isLate) return;
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
      }
      logOf("feed").warning("backend.not_closed", { backend: backend.plan.name, why });
    }));
  }

  #addSource(plan: SourcePlan, { goesOn = false }: ApplyOptions): void {
    const backend = this.#backends.get(plan.backend);
    if (backend === undefined) return; // `apply` has looked
    const { clock, audience, values, observer = {} } = this.#options;
    const sourceOptions = { clock, audience, observer, values, backend };
    const source = plan.call.stream
      ? new StreamReader(plan, sourceOptions)
      : new SourcePoller(plan, sourceOptions);
    for (const channel of channelNames(source)) {
      // What is stale already has its own reason.
      if (!backend.isClosed || (!goesOn && values.read(channel)?.is_stale === false)) {
        const why = "no poll yet since the configuration changed";
        values.doubt(channel, why, { keepsReason: true });
      }
    }
    this.#sources.set(plan.channel, source);
    const loop = source.run().catch((error) => {
      for (const channel of channelNames(source)) this.#ended.add(channel);
      logOf("feed").error("source.stopped", { channel: plan.channel, why: String(error) });
    }).finally(() => this.#loops.delete(loop));
    this.#loops.add(loop);
  }
}

function channelNames({ plan }: SourcePoller | StreamReader): string[] {
  return channelsOf(plan).map(({ channel }) => channel);
}

/** Plans are plain JSON-like data. */
function isEqual(a: SourcePlan, b: SourcePlan): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
