import type { Cluster } from "../cluster/cluster.ts";
import type { ClusterReport, PublishReceipt } from "../cluster/cluster_options.ts";
import type { Config } from "../config/schema.ts";
import type { BackendStatus } from "../feed/guarded_backend.ts";
import { Feed } from "../feed/feed.ts";
import type { FeedObserver } from "../feed/observer.ts";
import type { Hub } from "../hub/hub.ts";
import type { Departure } from "../hub/resume/shared_stream.ts";
import { WELL_KNOWN_STATUS_CHANNELS } from "../protocol/channel.ts";
import { json, type JsonText } from "../protocol/codec.ts";
import { type ErrorEvent, errorType } from "../protocol/error_event.ts";
import { type Clock, momentOf } from "../resilience/clock.ts";
import { logOf } from "../telemetry/log.ts";
import type { Metric } from "../telemetry/metrics.ts";
import { watchAges } from "../values/age_watch.ts";
import type { ChannelSettings } from "../values/channel_settings.ts";
import { type SourceReport, sourceReport } from "../values/source_report.ts";
import type { ValueStore } from "../values/value_store.ts";
import { clusterMetrics } from "./reports/cluster_metrics.ts";
import { feedPlan, type OpenBackend } from "./feed_plan.ts";
import { joinCluster } from "./join_cluster.ts";

export interface SupplyOptions {
  clock: Clock;
  hub: Hub;
  values: ValueStore;
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
    const { clock, hub, values, observer } = options;
    this.#config = config;
    this.#options = options;
    this.#values = values;
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
        else if (cause === "time") hub.value(channel, status);
      },
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
      await this.#feed.apply(feedPlan(this.#config, this.#options.openBackend));
      return;
    }
    const { clock, hub } = this.#options;
    this.#cluster = await joinCluster(this.#config, {
      clock,
      hub,
      values: this.#values,
      isKnown: (channel) => this.statusChannels().includes(channel),
      startPolling: (backendsOut) => this.#startPolling(backendsOut),
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

  /** Resolves once it is clear whether this hub is one of several or does by itself. */
  get settled(): Promise<void> {
    return this.#cluster?.settled ?? Promise.resolve();
  }

  /** Whether the hub still looks for the others of its cluster. */
  get isJoining(): boolean {
    return this.#cluster?.notReady !== undefined;
  }

  /** The channels of the sources, and the well-known ones that somebody may publish on. */
  statusChannels(): string[] {
    return [...new Set([...this.#channels(), ...WELL_KNOWN_STATUS_CHANNELS])];
  }

  /** Whether a source feeds this channel. */
  isFed(channel: string): boolean {
    return this.#channels().includes(channel);
  }

  backendReports(): Readonly<Record<string, BackendStatus>> {
    if (this.#cluster?.role !== "follower") return this.#feed.backendReports();
    return this.#cluster.leadersBackends() as Record<string, BackendStatus> ?? {};
  }

  sourceReports(): Readonly<Record<string, SourceReport>> {
    return Object.fromEntries(
      this.#channels().map((channel) => [channel, sourceReport(this.#values, channel)]),
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
    const value = { calledAt };
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

  async #startPolling(backendsOut: ReadonlySet<string>): Promise<void> {
    if (this.#retiring) throw new Error("the hub is stopping");
    if (this.#isPolling) return;
    this.#isPolling = true;
    const plan = feedPlan(this.#config, this.#options.openBackend);
    try {
      await this.#feed.apply(plan, { backendsOut, goesOn: true });
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
