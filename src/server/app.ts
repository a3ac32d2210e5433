import { WELL_KNOWN_STATUS_CHANNELS } from "../protocol/channel.ts";
import { encodeStatusData, json, type JsonText } from "../protocol/codec.ts";
import type { StatusData } from "../protocol/status_data.ts";
import { describeChanges } from "../config/diff.ts";
import type { Config } from "../config/schema.ts";
import { EventSubscriber } from "../feed/event_subscriber.ts";
import { beat } from "../feed/heartbeat.ts";
import { allObservers, type FeedObserver } from "../feed/observer.ts";
import { Hub } from "../hub/hub.ts";
import { type Clock, systemClock } from "../resilience/clock.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import type { Metric } from "../telemetry/metrics.ts";
import { Admission } from "./admission.ts";
import { Authenticator } from "./auth.ts";
import { Connections } from "./connections.ts";
import { openEventStream } from "./events.ts";
import { FeedFigures } from "./feed_figures.ts";
import { feedPlan, type OpenBackend } from "./feed_plan.ts";
import { InboundGuard } from "./inbound_guard.ts";
import { Listeners } from "./listeners.ts";
import { LoopLag } from "./loop_lag.ts";
import { hubOptions } from "./hub_options.ts";
import { hubMetrics } from "./metrics.ts";
import { publish } from "./publish.ts";
import { Published } from "./published.ts";
import { reloaded } from "./reloaded.ts";
import { createRoutes, type Policy, type Visit } from "./routes.ts";
import { drain } from "./shutdown.ts";
import { SocketGuard, type SocketGuardOptions } from "./socket_guard.ts";
import type { StatusReport } from "./status_report.ts";
import { upgrade } from "./upgrade.ts";

export interface AppOptions {
  version: string;
  openBackend: OpenBackend;
  /** Default: the machine's own. */
  clock?: Clock;
  observer?: FeedObserver;
  /** Told after each heartbeat. */
  onHeartbeat?: () => void;
  /** How the socket guard comes by the C library; for tests. */
  openLibc?: SocketGuardOptions["open"];
}

/**
 * The whole hub, listening: feed, hub and HTTP edge joined by callbacks, so that neither feed nor
 * hub knows the other. Disposing of it is an orderly shutdown.
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
  readonly #startedAt: number;
  readonly #hub: Hub;
  readonly #feed: EventSubscriber;
  readonly #published: Published;
  readonly #guard: SocketGuard;
  readonly #inbound: InboundGuard;
  readonly #admission: Admission;
  readonly #listeners: Listeners;
  readonly #stopLoops = new AbortController();
  readonly #connections = new Connections();
  readonly #figures = new FeedFigures();
  readonly #loopLag: LoopLag;
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
      await app.#listeners.listen(config);
      await app.#feed.apply(feedPlan(config, options.openBackend));
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
    this.#policy = policyOf(config);
    this.#options = options;
    this.#startedAt = clock.now();
    this.#published = new Published(clock);
    this.#loopLag = new LoopLag(clock);
    this.#guard = new SocketGuard({
      stallTimeoutMs: limits.stall_timeout,
      ...(openLibc ? { open: openLibc } : {}),
    });
    this.#inbound = new InboundGuard({
      clock,
      sockets: this.#guard,
      maxMessageBytes: limits.max_message_bytes,
    });
    this.#admission = new Admission({
      maxClients: limits.max_clients,
      maxClientsPerAddress: limits.max_clients_per_ip,
    });
    this.#hub = new Hub({
      clock,
      ...hubOptions(limits),
      statusChannels: () => this.#statusChannels(),
      latest: (channel) => this.#latest(channel),
    });
    this.#feed = new EventSubscriber({
      clock,
      audience: this.#hub,
      observer: observer ? allObservers([this.#figures, observer]) : this.#figures,
    });
    const handler = createRoutes({
      admission: this.#admission,
      policy: () => this.#policy,
      statusReport: () => this.statusReport(),
      metrics: () => this.metrics(),
      notReady: () => this.#notReady(),
      statusChannels: () => this.#statusChannels(),
      latest: (channel) => this.#latest(channel),
      openWebSocket: (visit, place) => this.#openWebSocket(visit, place),
      openEventStream: (visit, place) => this.#openEventStream(visit, place),
      publish: (visit) => this.#publish(visit),
    });
    this.#listeners = new Listeners({
      handler,
      onListening: (addr) => this.#guard.tune(addr),
      stopListening: () => this.#guard.stopListening(),
    });
  }

  /** Where the hub can be reached, with the port it really has. */
  get url(): string {
    return this.#listeners.url;
  }

  get hub(): Hub {
    return this.#hub;
  }

  /** The configuration in force. */
  get config(): Config {
    return this.#config;
  }

  statusReport(): StatusReport {
    return {
      version: this.#options.version,
      uptime_seconds: Math.floor((this.#clock.now() - this.#startedAt) / 1000),
      ...this.#hub.errorMetrics(),
      backends: this.#feed.backendReports(),
      sources: this.#feed.sourceReports(),
    };
  }

  /** What there is to be scraped, as it stands. */
  metrics(): Metric[] {
    const { seq, traffic } = this.#hub;
    const { backends, sources } = this.#config;
    return hubMetrics({
      status: this.statusReport(),
      hub: { seq, traffic, backlog: this.#hub.backlog() },
      admission: this.#admission,
      feed: this.#figures,
      scope: { backends: Object.keys(backends), sources },
      loopLag: this.#loopLag.histogram,
      descriptors: this.#guard.descriptors(),
    });
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
      audience: this.#hub,
      everyMs: this.#config.hub.heartbeat_every,
      clientsConnected: () => this.#hub.size,
      ...(this.#options.onHeartbeat ? { onBeat: this.#options.onHeartbeat } : {}),
    }, signal);
    void this.#loopLag.run(signal);
    if (this.#guard.isAvailable) void this.#inbound.run(signal);
    this.#log.info("server.listening", { url: this.url, version: this.#options.version });
  }

  async #reload(config: Config): Promise<void> {
    if (this.#stopping) return;
    const { applies, needsRestart } = describeChanges(this.#config, config);
    const next = reloaded(this.#config, config);
    await this.#listeners.renew(next);
    await this.#feed.apply(feedPlan(next, this.#options.openBackend));
    this.#policy = policyOf(next, { config: this.#config, policy: this.#policy });
    this.#config = next;
    this.#published.forget(this.#feed.channels());
    this.#hub.channelsChanged();
    this.#log.info("config.reloaded", { applied: applies, needs_restart: needsRestart });
  }

  async #stop(): Promise<void> {
    const { drain: drainMs, reconnect_within: reconnectWithinMs } = this.#config.shutdown;
    this.#log.info("server.stopping", { clients: this.#hub.size, drain_ms: drainMs });
    this.#admission.startDraining();
    // The backends' clients may take a moment to close; the clients of ours do not wait for that.
    const feedStopped = this.#reloading.then(() => this.#feed[Symbol.asyncDispose]());
    await drain({
      clock: this.#clock,
      hub: this.#hub,
      drainMs,
      reconnectWithinMs,
      connections: this.#connections,
    });
    await this.#release(feedStopped);
    this.#log.info("server.stopped", { uptime_seconds: this.statusReport().uptime_seconds });
  }

  /** Lets go of everything there is, in bounded time. */
  async #release(feedStopped = this.#feed[Symbol.asyncDispose]()): Promise<void> {
    this.#stopLoops.abort();
    this.#hub[Symbol.dispose]();
    this.#connections.abortAll();
    this.#guard[Symbol.dispose]();
    const bound = new AbortController();
    await Promise.race([
      Promise.all([feedStopped, this.#listeners.close()]),
      this.#clock.sleep(CLOSE_MS, { signal: bound.signal }).catch(() => {}),
    ]);
    bound.abort();
  }

  #openWebSocket({ request, facts, identity }: Visit, place: Disposable): Response {
    const { ping_every, stall_timeout } = this.#config.hub;
    const abort = () => this.#guard.abort(facts.peer);
    return upgrade(request, {
      clock: this.#clock,
      hub: this.#hub,
      facts,
      identity,
      place: this.#connections.track(place, abort),
      pingEveryMs: ping_every,
      lingerMs: stall_timeout,
      abort,
      signal: this.#stopLoops.signal,
      watch: (end) => this.#inbound.watch(facts.peer, end),
    });
  }

  #openEventStream({ facts, identity }: Visit, place: Disposable): Response {
    const { ping_every, stall_timeout } = this.#config.hub;
    const abort = () => this.#guard.abort(facts.peer);
    return openEventStream({
      hub: this.#hub,
      facts,
      identity,
      place: this.#connections.track(place, abort),
      keepAliveMs: ping_every,
      lingerMs: stall_timeout,
      abort,
    });
  }

  #publish({ request, identity }: Visit): Promise<Response> {
    const fed = new Set(this.#feed.channels());
    return publish(request, {
      identity,
      maxBytes: this.#config.hub.max_message_bytes,
      statusChannels: () => this.#statusChannels(),
      isFed: (channel) => fed.has(channel),
      publishEvent: (channel, data) => this.#hub.broadcast(channel, json(data)),
      publishStatus: (channel, data) => {
        const status = this.#published.store(channel, JSON.stringify(data) as JsonText);
        return this.#hub.broadcast(channel, encodeStatusData(status));
      },
    });
  }

  #latest(channel: string): StatusData<JsonText> | undefined {
    return this.#feed.latest(channel) ?? this.#published.latest(channel);
  }

  /** The channels of the sources, and the well-known ones that somebody may publish on. */
  #statusChannels(): string[] {
    return [...new Set([...this.#feed.channels(), ...WELL_KNOWN_STATUS_CHANNELS])];
  }

  #notReady(): string[] {
    if (this.#admission.isDraining) return ["the hub is shutting down"];
    return this.#feed.untried().map((channel) => `"${channel}" was not polled yet`);
  }
}

/** How long the listening socket and the backends' clients get to close, in milliseconds. */
const CLOSE_MS = 500;

/** The policy of a configuration; keys already fetched are kept where `auth` stays as it was. */
function policyOf(
  { auth, origins, trust_proxy }: Config,
  before?: { config: Config; policy: Policy },
): Policy {
  const isSame = before && JSON.stringify(before.config.auth) === JSON.stringify(auth);
  const authenticator = isSame ? before.policy.authenticator : new Authenticator(auth);
  return { authenticator, origins, trustProxy: trust_proxy };
}
