import { describeChanges } from "../config/diff.ts";
import type { Config } from "../config/schema.ts";
import { beat } from "../feed/heartbeat.ts";
import { allObservers, type FeedObserver } from "../feed/observer.ts";
import { Hub } from "../hub/hub.ts";
import { json } from "../protocol/codec.ts";
import type { ProxyEnvironment } from "../rpc/http/proxy.ts";
import { type Clock, systemClock } from "../resilience/clock.ts";
import { withDeadline } from "../resilience/with_deadline.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import type { Metric } from "../telemetry/metrics.ts";
import { ValueStore } from "../values/value_store.ts";
import { type Policy, policyOf } from "./door/policy.ts";
import { FeedMetrics } from "./reports/feed_metrics.ts";
import { type OpenClientThreads, threadsOf } from "./client_threads.ts";
import { Edge } from "./edge.ts";
import type { OpenBackend } from "./feed_plan.ts";
import type { SocketsOptions } from "./sockets/sockets.ts";
import { hookPlans } from "./hook_plans.ts";
import { hubOptions } from "./hub_options.ts";
import { Keeping } from "./keeping/keeping.ts";
import type { State } from "../state/state.ts";
import { reloaded } from "./reloaded.ts";
import { Points } from "./points.ts";
import { Reports } from "./reports/reports.ts";
import type { StatusReport } from "./reports/status_report.ts";
import { channelSettings, Ingest } from "./ingest.ts";

export interface AppOptions {
  version: string;
  openBackend: OpenBackend;
  /** Default: the machine's own. */
  clock?: Clock;
  observer?: FeedObserver;
  /** The proxies by which identity providers are reached. Default: none. */
  proxyEnvironment?: ProxyEnvironment;
  /** Resolves when the hub is to stop: its start waits for nothing then. Default: never. */
  stop?: Promise<void>;
  /** Told after each heartbeat. */
  onHeartbeat?: () => void;
  /** How many uncaught errors there were so far. Default: none is counted. */
  uncaughtErrors?: () => number;
  /** How many log lines were left out so far. Default: none is. */
  logLinesLeftOut?: () => number;
  /** Opens the threads that serve clients. Without it `workers` has to be 1. */
  openThreads?: OpenClientThreads;
  /** What outlives the process; disposed of with the hub. Default: nothing does. */
  state?: State;
  /** How the socket guard comes by the C library; for tests. */
  openLibc?: SocketsOptions["openLibc"];
}

/**
 * The whole hub, listening: what comes in, the hub and the HTTP edge joined by callbacks, so that
 * neither feed nor hub knows the other. Disposing of it is an orderly shutdown.
 *
 * @example
 * ```ts
 * await using app = await App.start(config, { version: "1.0.0", openBackend });
 * console.log(app.url);
 * ```
 */
export class App implements AsyncDisposable {
  readonly #log: Log = logOf("server");
  readonly #clock: Clock;
  readonly #options: AppOptions;
  readonly #hub: Hub;
  readonly #values: ValueStore;
  readonly #keeping: Keeping;
  readonly #ingest: Ingest;
  readonly #edge: Edge;
  readonly #stopLoops = new AbortController();
  readonly #reports: Reports;
  #config: Config;
  #policy: Policy;
  #reloading: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  /**
   * Starts to listen and to poll.
   *
   * @throws {Deno.errors.AddrInUse} If the address is taken; other {@linkcode Deno.errors} if it
   * cannot be listened on.
   * @throws {TypeError} If a certificate or a backend cannot be used as configured.
   */
  static async start(config: Config, options: AppOptions): Promise<App> {
    const app = new App(config, options);
    try {
      if (config.cluster?.share_port) {
        // Other hubs on that port have more to show until this one has joined.
        await app.#ingest.start();
        await Promise.race([app.#ingest.settled, ...(options.stop ? [options.stop] : [])]);
        await app.#edge.listen(config);
      } else {
        await app.#edge.listen(config);
        await app.#ingest.start();
      }
    } catch (error) {
      await app.#release();
      throw error;
    }
    app.#begin();
    return app;
  }

  private constructor(config: Config, options: AppOptions) {
    const { clock = systemClock, observer, openLibc } = options;
    const { hub: limits } = config;
    this.#clock = clock;
    this.#config = config;
    this.#policy = policyOf(config, { ...options, clock });
    this.#options = options;
    this.#values = new ValueStore({
      clock,
      onListenerFailed: (error) => logOf("values").error("value.not_told", { why: String(error) }),
    });
    // Before the hub, which may put back errors that only who reads their channels may see.
    this.#values.configure(channelSettings(config));
    this.#keeping = new Keeping({
      clock,
      state: options.state,
      incidentsForMs: config.state.incidents_for,
      isCaller: () => this.#ingest.isSpeaker,
      proxyEnvironment: options.proxyEnvironment,
    });
    this.#edge = new Edge({
      clock,
      signal: this.#stopLoops.signal,
      config: () => this.#config,
      policy: () => this.#policy,
      values: this.#values,
      hub: () => this.#hub,
      ingest: () => this.#ingest,
      openThreads: options.openThreads,
      openLibc,
    });
    this.#hub = new Hub({
      clock,
      ...hubOptions(limits),
      ...(this.#edge.threads ? { mirror: this.#edge.threads.mirror } : {}),
      ...this.#keeping.hubOptions({ isShared: config.cluster !== undefined }),
      statusChannels: () => this.#ingest.statusChannels(),
      isOffered: (channel) => this.#ingest.isOffered(channel),
      values: this.#values,
      channelsOfBackend: (backend) => this.#values.fedBy(backend),
      onStreamError: (code, told) => this.#ingest.noteError(code, told),
      tellLoss: (event) => this.#ingest.tellLoss(event),
      onDeparture: (departure) => this.#ingest.tellDeparture(departure),
    });
    const feed = new FeedMetrics();
    this.#ingest = new Ingest(config, {
      clock,
      values: this.#values,
      hub: this.#hub,
      openBackend: options.openBackend,
      keeping: this.#keeping,
      observer: observer ? allObservers([feed, observer]) : feed,
    });
    this.#reports = new Reports({
      ...options,
      clock,
      feed,
      hub: this.#hub,
      ingest: this.#ingest,
      incidents: this.#keeping.incidents,
      refusals: this.#edge.refusals,
      sockets: this.#edge.sockets,
      threads: this.#edge.threads,
      config: () => this.#config,
    });
    this.#edge.answer({
      version: options.version,
      statusReport: async () => {
        await this.#reports.refresh();
        return this.statusReport();
      },
      metrics: async () => {
        await this.#reports.refresh();
        return this.metrics();
      },
      notReady: () => this.#notReady(),
      statusChannels: () => this.#ingest.statusChannels(),
      incidents: {
        find: (query) => this.#keeping.incidents.find(query),
        uptime: (forMs, steps) =>
          this.#keeping.incidents.uptime(this.#uptimeChannels(), forMs, steps),
      },
      points: new Points({
        clock,
        values: this.#values,
        unit: (channel) => unitOf(this.#config, channel),
      }),
      recentEvents: () => this.#hub.recentEvents,
      now: () => clock.unixMs(),
    });
  }

  /** Where the hub can be reached, with the port it really has. */
  get url(): string {
    return this.#edge.url;
  }

  get hub(): Hub {
    return this.#hub;
  }

  /** Whether every thread that serves clients answers. */
  get areThreadsAlive(): boolean {
    return this.#edge.threads?.areAlive ?? true;
  }

  /** The configuration in force. */
  get config(): Config {
    return this.#config;
  }

  statusReport(): StatusReport {
    return this.#reports.status();
  }

  /** What there is to be scraped, as it stands. */
  metrics(): Metric[] {
    return this.#reports.metrics();
  }

  /**
   * Puts another configuration into force without dropping a client: sources, backends, tokens,
   * origins and the certificate change, everything else stays until a restart. One at a time.
   *
   * @throws {TypeError} If a certificate or a backend cannot be used; then the old configuration
   * stays in force.
   */
  reload(config: Config): Promise<void> {
    const done = this.#reloading.then(() => this.#reload(config));
    this.#reloading = done.catch(() => {});
    return done;
  }

  /**
   * Stops in order: the door closes, polls stop, every client is told, what waits is sent for at
   * most `shutdown.drain`, connections are closed. Done within that and two seconds, whatever the
   * clients do. Calling it again waits for the same stop.
   */
  shutdown(): Promise<void> {
    return this.#stopping ??= this.#stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #begin(): void {
    const { signal } = this.#stopLoops;
    void beat({
      clock: this.#clock,
      send: (data) => this.#hub.broadcast("heartbeat", json(data)),
      everyMs: this.#config.hub.heartbeat_every,
      clientsConnected: () => this.#hub.size,
      also: () => {
        const cluster_clients_connected = this.#ingest.clusterReport()?.clients_connected;
        return cluster_clients_connected === undefined ? {} : { cluster_clients_connected };
      },
      ...(this.#options.onHeartbeat ? { onBeat: this.#options.onHeartbeat } : {}),
    }, signal);
    void this.#reports.run(signal);
    this.#edge.run();
    this.#applyIncidents();
    void this.#keeping.incidents.run(signal);
    const workers = threadsOf(this.#config);
    this.#log.info("server.listening", {
      url: this.url,
      version: this.#options.version,
      ...(workers > 1 ? { workers } : {}),
    });
  }

  async #reload(config: Config): Promise<void> {
    if (this.#stopping) return;
    const { applies, needsRestart } = describeChanges(this.#config, config);
    const next = reloaded(this.#config, config);
    await this.#edge.renew(next);
    await this.#ingest.apply(next);
    this.#policy = policyOf(next, { ...this.#options, clock: this.#clock }, this.#policy);
    this.#config = next;
    this.#edge.rulesChanged();
    this.#hub.channelsChanged();
    this.#applyIncidents();
    this.#log.info("config.reloaded", { applied: applies, needs_restart: needsRestart });
  }

  async #stop(): Promise<void> {
    const { drain: drainMs, reconnect_within: reconnectWithinMs } = this.#config.shutdown;
    this.#log.info("server.stopping", { clients: this.#hub.size, drain_ms: drainMs });
    this.#edge.admission.startDraining();
    // The backends' clients may take a moment to close; the clients of ours do not wait for that.
    const retired = this.#reloading.then(() => this.#ingest.retire());
    const startedAt = this.#clock.now();
    const { clients, unflushed, isAllGone } = await this.#edge.drain({
      drainMs,
      reconnectWithinMs,
    });
    this.#log.info("server.drained", {
      clients,
      unflushed,
      all_gone: isAllGone,
      duration_ms: Math.round(this.#clock.now() - startedAt),
    });
    await this.#release(retired.then(() => this.#ingest[Symbol.asyncDispose]()));
    this.#log.info("server.stopped", { uptime_seconds: this.#reports.uptimeSeconds });
  }

  /** Lets go of everything there is, in bounded time. */
  async #release(ingestStopped = this.#ingest[Symbol.asyncDispose]()): Promise<void> {
    this.#stopLoops.abort();
    this.#hub[Symbol.dispose]();
    this.#edge[Symbol.dispose]();
    const closed = Promise.all([ingestStopped, this.#edge.close()]);
    await withDeadline(this.#clock, CLOSE_MS, () => closed);
    // Last, so that nothing that was said is missing: each in bounded time.
    await this.#keeping.incidents[Symbol.asyncDispose]();
    this.#hub.endNumbering();
    await this.#options.state?.[Symbol.asyncDispose]();
  }

  /** Those that are configured, and others that had a value. */
  #uptimeChannels(): string[] {
    return [
      ...new Set([
        ...this.#config.sources.map(({ channel }) => channel),
        ...this.#keeping.incidents.knownChannels(),
      ]),
    ];
  }

  #applyIncidents(): void {
    const { incidents } = this.#keeping;
    incidents.configured({
      channels: this.#ingest.statusChannels(),
      backends: Object.keys(this.#config.backends),
    });
    incidents.applyHooks(hookPlans(this.#config.hooks));
  }

  #notReady(): string[] {
    if (this.#edge.admission.isDraining) return ["the hub is shutting down"];
    return this.#ingest.notReady();
  }
}

/** How long the listening socket and the backends' clients get to close, in milliseconds. */
const CLOSE_MS = 500;

/** What a channel's numbers count, where the configuration says so. */
function unitOf({ sources, channels }: Config, channel: string): string | undefined {
  const published = Object.hasOwn(channels, channel) ? channels[channel] : undefined;
  return (sources.find((each) => each.channel === channel) ?? published)?.unit;
}
