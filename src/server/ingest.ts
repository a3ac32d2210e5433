import { feedOf } from "../cluster/feeds.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { PublishReceipt } from "../cluster/cluster_options.ts";
import type { ClusterReport } from "../cluster/cluster_report.ts";
import type { Config } from "../config/schema.ts";
import { displayOf } from "../config/schema_display.ts";
import type { BackendStatus } from "../feed/guarded_backend.ts";
import { type ApplyOptions, Feed } from "../feed/feed.ts";
import type { BackendPlan } from "../feed/guarded_backend.ts";
import { probeBackend } from "../feed/probe_backend.ts";
import { allObservers, type FeedObserver } from "../feed/observer.ts";
import type { Hub } from "../hub/hub.ts";
import type { Departure, StreamError } from "../hub/shared_stream.ts";
import { WELL_KNOWN_STATUS_CHANNELS } from "../protocol/channel.ts";
import { json, type JsonText } from "../protocol/codec.ts";
import { type ErrorCode, type ErrorEvent, errorType } from "../protocol/error_event.ts";
import { type Clock, momentOf } from "../resilience/clock.ts";
import { logOf } from "../telemetry/log.ts";
import type { Metric } from "../telemetry/metrics.ts";
import { watchAges } from "../values/age_watch.ts";
import type { ChannelSettings } from "../values/channel_settings.ts";
import { sourceReport } from "../values/source_report.ts";
import type { ValueStore } from "../values/value_store.ts";
import { clusterMetrics } from "./reports/cluster_metrics.ts";
import type { SourceStatus } from "./reports/status_report.ts";
import { feedPlan, type OpenBackend } from "./feed_plan.ts";
import type { Poller } from "./http/poll_route.ts";
import type { Publisher } from "./http/publish_route.ts";
import { joinCluster } from "./join_cluster.ts";
import type { Keeping } from "./keeping/keeping.ts";

export interface IngestOptions {
  clock: Clock;
  hub: Hub;
  values: ValueStore;
  openBackend: OpenBackend;
  observer: FeedObserver;
  keeping: Keeping;
}

/**
 * How values and events come into the hub: by its own polls, by publishing, and, where it is one of
 * several hubs, by the stream they share. Polls then are only one hub's business at a time.
 */
export class Ingest implements AsyncDisposable, Publisher, Poller {
  readonly #options: IngestOptions;
  readonly #feed: Feed;
  readonly #values: ValueStore;
  readonly #stopWatch = new AbortController();
  /** Status channels that clients get who name none; no more than there are. */
  readonly #offered = new Set<string>();
  #config: Config;
  #plans: readonly BackendPlan[] = [];
  #cluster: Cluster | undefined;
  #isPolling = false;
  #retiring: Promise<void> | undefined;

  constructor(config: Config, options: IngestOptions) {
    const { clock, hub, values, observer, keeping } = options;
    this.#config = config;
    this.#options = options;
    this.#values = values;
    this.#values.configure(channelSettings(config));
    this.#feed = new Feed({
      clock,
      observer: allObservers([observer, { onBreaker: (name) => this.#keepBreaker(name) }]),
      values: this.#values,
      audience: {
        value: (channel, status) => (this.#cluster ?? hub).value(channel, status),
        error: (event) => {
          // Of several hubs, each hears of it from the stream they share.
          if (this.#cluster === undefined || this.#cluster.role === "alone") {
            this.noteError(event.code, { data: event.data, details: event.details });
          }
          (this.#cluster ?? hub).error(event);
        },
      },
    });
    this.#values.subscribe({
      // A well-known channel is offered once it has a value.
      onValue: (channel) => this.#offer(channel),
      onStanding: ({ channel, standing, cause, status }) => {
        if (standing === "retired") this.#offered.delete(channel);
        // What time alone has changed, and a channel's last word, nobody else tells.
        const isUntold = cause === "time" || standing === "retired";
        if (isUntold && status !== undefined) hub.value(channel, status);
      },
    });
    keeping.joinValues(this.#values, {
      isThere: (channel) => this.statusChannels().includes(channel),
      wasTried: (channel) => this.#wasTried(channel),
      isShared: () => this.#config.cluster !== undefined,
    });
    keeping.joinState({
      hub,
      values: this.#values,
      breakers: () => this.#plans.map((plan) => [plan, this.#feed.openRecord(plan.name)] as const),
    });
    void watchAges(this.#values, {
      clock,
      onFailed: (error) => logOf("values").error("value.watch_failed", { why: String(error) }),
    }, this.#stopWatch.signal);
  }

  /**
   * Begins: polls at once, or joins the cluster, which decides who polls.
   *
   * @throws {TypeError} If a backend cannot be used as configured.
   */
  async start(): Promise<void> {
    const { cluster } = this.#config;
    if (cluster === undefined) {
      this.#isPolling = true;
      await this.#apply(this.#config, { isFirst: true });
      return;
    }
    const { clock, hub, keeping: { unsaid } } = this.#options;
    this.#cluster = await joinCluster(this.#config, {
      clock,
      hub,
      values: this.#values,
      ...(unsaid === undefined ? {} : { unsaid }),
      isKnown: (channel) => this.statusChannels().includes(channel),
      startPolling: (backendsOut) => this.#startPolling(backendsOut),
      stopPolling: () => this.#stopPolling(),
      pollNow: (channels) => this.#feed.pollNow(channels),
      backendReports: () => this.#feed.backendReports(),
      feeds: () =>
        Object.fromEntries(this.#config.sources.map((each) => [each.channel, feedOf(each)])),
      probe: (backend, signal) => this.#probe(backend, signal),
    });
  }

  /**
   * Puts another configuration's sources and backends into force.
   *
   * @throws {TypeError} If a backend cannot be used; then the old ones stay in force.
   */
  async apply(config: Config): Promise<void> {
    const onStopped = () => this.#values.configure(channelSettings(config));
    if (!this.#isPolling) onStopped();
    else await this.#apply(config, { onStopped });
    this.#config = config;
    this.#cluster?.configured();
  }

  /** Resolves once it is clear whether this hub is one of several or does by itself. */
  get settled(): Promise<void> {
    return this.#cluster?.settled ?? Promise.resolve();
  }

  /** Whether the hub still looks for the others of its cluster. */
  get isJoining(): boolean {
    return this.#cluster?.notReady !== undefined;
  }

  async #apply(config: Config, options: ApplyOptions & { isFirst?: boolean }): Promise<void> {
    const { keeping, openBackend } = this.#options;
    const { isFirst = false, ...rest } = options;
    const plan = feedPlan(config, openBackend);
    // Before: a breaker may change while the plan is put into force.
    const before = this.#plans;
    this.#plans = plan.backends;
    try {
      await this.#feed.apply(plan, {
        ...rest,
        ...(isFirst ? keeping.breakersPast(plan.backends) : {}),
      });
    } catch (error) {
      this.#plans = before;
      throw error;
    }
    for (const gone of before) {
      const isThere = plan.backends.some(({ name }) => name === gone.name);
      if (!isThere) keeping.breakerChanged(gone, undefined);
    }
  }

  #keepBreaker(name: string): void {
    const plan = this.#plans.find((each) => each.name === name);
    if (plan) this.#options.keeping.breakerChanged(plan, this.#feed.openRecord(name));
  }

  /** An error is told, by this hub or by the stream: of breakers, incidents begin and end. */
  noteError(code: ErrorCode, told: Omit<StreamError, "timestamp"> & Partial<StreamError>): void {
    this.#options.keeping.errorTold({ code, ...told }, (backend) => this.backendReports()[backend]);
  }

  /** Whether this hub speaks for all of them, to whom they tell of incidents. */
  get isSpeaker(): boolean {
    return this.#cluster === undefined || this.#cluster.role !== "follower";
  }

  /** Every status channel there may be: the configured ones, and the well-known ones. */
  statusChannels(): string[] {
    return [...new Set([...this.#configured(), ...WELL_KNOWN_STATUS_CHANNELS])];
  }

  /** Whether something feeds this channel: it is configured, or it was published on. */
  isOffered(channel: string): boolean {
    return this.#configured().includes(channel) || this.#offered.has(channel);
  }

  isFed(channel: string): boolean {
    return this.#config.sources.some((source) => source.channel === channel);
  }

  pollNow(channels: readonly string[]): void {
    if (this.#isPolling) this.#feed.pollNow(channels);
    else this.#cluster?.askToPoll(channels);
  }

  backendReports(): Readonly<Record<string, BackendStatus>> {
    if (this.#cluster?.role !== "follower") return this.#feed.backendReports();
    return this.#cluster.leadersBackends() as Record<string, BackendStatus> ?? {};
  }

  sourceReports(): Readonly<Record<string, SourceStatus>> {
    const { sources, channels } = this.#config;
    const report = (channel: string) => sourceReport(this.#values, channel);
    return Object.fromEntries([
      ...sources.map(({ channel, backend, ...rest }) =>
        [channel, { ...report(channel), backend, ...displayOf(rest) }] as const
      ),
      ...Object.entries(channels).map(([channel, settings]) =>
        [channel, { ...report(channel), ...displayOf(settings) }] as const
      ),
    ]);
  }

  clusterReport(): ClusterReport | undefined {
    return this.#cluster?.report();
  }

  /** What there is to be scraped of the cluster; none for a hub by itself. */
  clusterMetrics(): Metric[] {
    return this.#cluster === undefined ? [] : clusterMetrics(this.#cluster);
  }

  /** Why there is nothing to show yet; empty if there is, or if all was tried. */
  notReady(): string[] {
    const why = this.#cluster?.notReady;
    if (why !== undefined) return [why];
    return [
      ...this.#feed.untried().map((channel) => `"${channel}" was not polled yet`),
      ...this.#feed.ended().map((channel) => `"${channel}" is not polled any more`),
    ];
  }

  async publishEvent(channel: string, data: JsonText): Promise<PublishReceipt> {
    const tell = () => this.#options.hub.broadcast(channel, data);
    return await this.#cluster?.publish({ type: channel, data }, tell) ?? { seq: tell() };
  }

  async publishValue(
    channel: string,
    data: JsonText,
    options: { validForMs?: number } = {},
  ): Promise<PublishReceipt> {
    const { clock, hub } = this.#options;
    const value = { calledAt: momentOf(clock), ...options };
    const tell = () => {
      this.#offer(channel); // before the value: who gets the channel by this gets it once
      this.#values.put(channel, { text: data, origin: "publisher", ...value });
      const stored = this.#values.read(channel);
      return stored === undefined ? hub.seq : hub.value(channel, stored);
    };
    return await this.#cluster?.publish({ type: channel, data, value }, tell) ?? { seq: tell() };
  }

  /** Tells clients of one that was lost: this hub's, or those of all hubs, as configured. */
  tellLoss(event: ErrorEvent): void {
    const type = errorType(event.code);
    const { hub } = this.#options;
    const alone = () => hub.broadcast(type, json(event));
    const isShared = this.#config.cluster?.tell_losses === "cluster";
    if (!isShared || this.#cluster === undefined) {
      alone();
      return;
    }
    const publication = { type, data: json(event), isKept: false };
    // Better told to some than to nobody.
    this.#cluster.publish(publication, alone).catch(alone);
  }

  /** A client left: should it come to another hub, that one has to know. */
  tellDeparture(departure: Departure): void {
    this.#cluster?.tellDeparture(departure);
  }

  /** Stops every poll and closes every backend; another hub can poll at once. */
  retire(): Promise<void> {
    return this.#retiring ??= this.#retire();
  }

  async #retire(): Promise<void> {
    this.#stopWatch.abort();
    const feedStopped = this.#feed[Symbol.asyncDispose]();
    await this.#cluster?.retire();
    await feedStopped;
  }

  /** Retires, and leaves the cluster. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.retire();
    await this.#cluster?.[Symbol.asyncDispose]();
  }

  /** Whether it was tried to get a value of this channel, as far as that is this hub's to try. */
  #wasTried(channel: string): boolean {
    const isOthers = this.#cluster !== undefined && !this.#isPolling;
    if (isOthers || !this.isFed(channel)) return true;
    return this.#feed.channels().includes(channel) && !this.#feed.untried().includes(channel);
  }

  async #startPolling(backendsOut: ReadonlySet<string>): Promise<void> {
    if (this.#retiring) throw new Error("the hub is stopping");
    if (this.#isPolling) return;
    this.#isPolling = true;
    try {
      await this.#apply(this.#config, { backendsOut, goesOn: true });
    } catch (error) {
      // Nothing is polled then, every value grows old and says so, and another hub may do better.
      this.#isPolling = false;
      throw error;
    }
  }

  async #probe(name: string, signal: AbortSignal): Promise<boolean> {
    const { backends, sources } = feedPlan(this.#config, this.#options.openBackend);
    const plan = backends.find((each) => each.name === name);
    const call = sources.find(({ backend }) => backend === name)?.call;
    if (plan === undefined || call === undefined) return false;
    return await probeBackend(plan, call, { clock: this.#options.clock, signal });
  }

  #stopPolling(): void {
    if (!this.#isPolling || this.#retiring) return;
    this.#isPolling = false;
    void this.#feed.stop();
  }

  /** Clients that name no channels get this one from now on. */
  #offer(channel: string): void {
    if (this.isOffered(channel)) return;
    this.#offered.add(channel);
    this.#options.hub.channelsChanged();
  }

  /** Status channels of the configuration: those that sources feed, and those published on. */
  #configured(): string[] {
    const { sources, channels } = this.#config;
    return [...sources.map(({ channel }) => channel), ...Object.keys(channels)];
  }
}

/** What the store of values has to know of the configured channels. */
export function channelSettings({ sources, channels }: Config): Map<string, ChannelSettings> {
  return new Map<string, ChannelSettings>([
    ...sources.map(({ channel, backend, stale_after }) =>
      [channel, { feeder: { kind: "backend", backend }, staleAfterMs: stale_after }] as const
    ),
    ...Object.entries(channels).map(([channel, { stale_after = Infinity }]) =>
      [channel, { feeder: { kind: "publisher" }, staleAfterMs: stale_after }] as const
    ),
  ]);
}
