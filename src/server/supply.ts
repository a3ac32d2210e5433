import type { Cluster } from "../cluster/cluster.ts";
import type { ClusterReport, PublishReceipt } from "../cluster/cluster_options.ts";
import type { Config } from "../config/schema.ts";
import type { BackendStatus } from "../feed/guarded_backend.ts";
import { Feed } from "../feed/feed.ts";
import type { Inheritance } from "../cluster/replica.ts";
import type { FeedObserver } from "../feed/observer.ts";
import type { Hub } from "../hub/hub.ts";
import type { Departure } from "../hub/resume/shared_stream.ts";
import { WELL_KNOWN_STATUS_CHANNELS } from "../protocol/channel.ts";
import { json, type JsonText } from "../protocol/codec.ts";
import { type ErrorEvent, errorType } from "../protocol/error_event.ts";
import type { StatusData } from "../protocol/status_data.ts";
import { type Clock, momentOf } from "../resilience/clock.ts";
import { logOf } from "../telemetry/log.ts";
import type { Metric } from "../telemetry/metrics.ts";
import { watchAges } from "../values/age_watch.ts";
import type { ChannelSettings } from "../values/channel_settings.ts";
import { type SourceReport, sourceReport } from "../values/source_report.ts";
import { ValueStore } from "../values/value_store.ts";
import { clusterMetrics } from "./reports/cluster_metrics.ts";
import { feedPlan, type OpenBackend } from "./feed_plan.ts";
import { joinCluster } from "./join_cluster.ts";

export interface SupplyOptions {
  clock: Clock;
  hub: Hub;
  openBackend: OpenBackend;
  observer: FeedObserver;
}

/**
 * Where the hub's values come from: its own polls, what was published, and, where it is one of
 * several hubs, the stream they share. Polls then are only one hub's business at a time.
 */
export class Supply implements AsyncDisposable {
  readonly #options: SupplyOptions;
  readonly #feed: Feed;
  readonly #values: ValueStore;
  readonly #stopWatch = new AbortController();
  #config: Config;
  #cluster: Cluster | undefined;
  #isPolling = false;
  #retiring: Promise<void> | undefined;

  constructor(config: Config, options: SupplyOptions) {
    const { clock, hub, observer } = options;
    this.#config = config;
    this.#options = options;
    const log = logOf("values");
    this.#values = new ValueStore({
      clock,
      onListenerFailed: (error) => log.error("value.not_told", { why: String(error) }),
    });
    this.#values.configure(settingsOf(config));
    this.#feed = new Feed({
      clock,
      observer,
      values: this.#values,
      audience: {
        value: (channel, status) => (this.#cluster ?? hub).value(channel, status),
        error: (event) => (this.#cluster ?? hub).error(event),
      },
    });
    this.#values.subscribe({
      onStanding: ({ channel, standing, cause, status }) => {
        if (status === undefined) return;
        // What time alone has changed, and a channel's last word, nobody else tells.
        if (standing === "retired") hub.value(channel, status);
        else if (cause === "time" && this.#isByItself) hub.value(channel, status);
      },
    });
    void watchAges(this.#values, {
      clock,
      onFailed: (error) => log.error("value.watch_failed", { why: String(error) }),
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
      await this.#feed.apply(feedPlan(this.#config, this.#options.openBackend));
      return;
    }
    const { clock, hub } = this.#options;
    this.#cluster = await joinCluster(this.#config, {
      clock,
      hub,
      fed: () => this.#fed(),
      startPolling: (inheritance) => this.#startPolling(inheritance),
      stopPolling: () => this.#stopPolling(),
      backendReports: () => this.#feed.backendReports(),
    });
  }

  /**
   * Puts another configuration's sources and backends into force.
   *
   * @throws {TypeError} If a backend cannot be used; then the old ones stay in force.
   */
  async apply(config: Config): Promise<void> {
    const onStopped = () => this.#values.configure(settingsOf(config));
    if (!this.#isPolling) onStopped();
    else await this.#feed.apply(feedPlan(config, this.#options.openBackend), { onStopped });
    this.#config = config;
  }

  /** The channels of the sources, and the well-known ones that somebody may publish on. */
  statusChannels(): string[] {
    return [...new Set([...this.#channels(), ...WELL_KNOWN_STATUS_CHANNELS])];
  }

  /** Whether a source feeds this channel. */
  isFed(channel: string): boolean {
    return this.#channels().includes(channel);
  }

  /** Counts the different values of a channel that this hub holds. */
  revision(channel: string): number {
    return this.#values.revision(channel);
  }

  /** The latest value of a status channel, flagged as it stands now. */
  read(channel: string): StatusData<JsonText> | undefined {
    if (this.#cluster === undefined) return this.#values.read(channel);
    // What its clients have had comes out of the stream: a value of its own may not be there yet.
    const shared = this.#cluster.latest(channel);
    return this.#cluster.role === "alone" ? this.#values.read(channel) ?? shared : shared;
  }

  backendReports(): Readonly<Record<string, BackendStatus>> {
    if (this.#cluster?.role !== "follower") return this.#feed.backendReports();
    return this.#cluster.leadersBackends() as Record<string, BackendStatus> ?? {};
  }

  sourceReports(): Readonly<Record<string, SourceReport>> {
    if (this.#cluster === undefined || this.#isPolling) {
      return Object.fromEntries(
        this.#channels().map((channel) => [channel, sourceReport(this.#values, channel)]),
      );
    }
    return Object.fromEntries(
      this.#channels().map((channel) => {
        const latest = this.read(channel);
        return [channel, {
          last_success: latest?.cached_at ?? null,
          last_error: latest?.error?.details ?? null,
          is_stale: latest?.is_stale ?? true,
          age_ms: latest?.age_ms ?? null,
        }];
      }),
    );
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

  /**
   * Sends an event to everybody.
   *
   * @throws {ClusterUnreachable} If it cannot be said whether the other hubs heard of it.
   */
  async publishEvent(channel: string, data: JsonText): Promise<PublishReceipt> {
    const tell = () => this.#options.hub.broadcast(channel, data);
    return await this.#cluster?.publish({ type: channel, data }, tell) ?? { seq: tell() };
  }

  /** Makes this the latest value of a status channel; otherwise as {@linkcode publishEvent}. */
  async publishStatus(channel: string, data: JsonText): Promise<PublishReceipt> {
    const { clock, hub } = this.#options;
    const calledAt = momentOf(clock);
    const tell = () => {
      this.#values.put(channel, { text: data, calledAt, origin: "publisher" });
      const stored = this.#values.read(channel);
      return stored === undefined ? hub.seq : hub.value(channel, stored);
    };
    const cached_at = Math.floor(calledAt.unixMs / 1000);
    const status = { is_stale: false, cached_at, age_ms: 0 };
    return await this.#cluster?.publish({ type: channel, data, status }, tell) ?? { seq: tell() };
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

  /** Whether no other hub has a word in what this one's clients see. */
  get #isByItself(): boolean {
    return this.#cluster === undefined || this.#cluster.role === "alone";
  }

  async #startPolling({ values, backendsOut }: Inheritance): Promise<void> {
    if (this.#retiring) throw new Error("the hub is stopping");
    if (this.#isPolling) return;
    const { monotonicMs } = momentOf(this.#options.clock);
    for (const [channel, { data: text, cached_at, age_ms }] of values) {
      const calledAt = { monotonicMs: monotonicMs - age_ms, unixMs: cached_at * 1000 };
      this.#values.put(channel, { text, calledAt, origin: "stream" });
    }
    this.#isPolling = true;
    try {
      await this.#feed.apply(feedPlan(this.#config, this.#options.openBackend), { backendsOut });
    } catch (error) {
      // Nothing is polled then, every value grows old and says so, and another hub may do better.
      this.#isPolling = false;
      throw error;
    }
  }

  #stopPolling(): void {
    if (!this.#isPolling || this.#retiring) return;
    this.#isPolling = false;
    void this.#feed.stop();
  }

  /** The channels that sources feed, whichever hub polls them. */
  #channels(): string[] {
    return this.#config.sources.map(({ channel }) => channel);
  }

  #fed() {
    return this.#config.sources.map(({ channel, backend, stale_after }) => ({
      channel,
      backend,
      staleAfterMs: stale_after,
    }));
  }
}

/** What the store of values has to know of the configured channels. */
function settingsOf({ sources }: Config): Map<string, ChannelSettings> {
  return new Map(
    sources.map(({ channel, backend, stale_after }) => [
      channel,
      { feeder: { kind: "backend", backend }, staleAfterMs: stale_after },
    ]),
  );
}
