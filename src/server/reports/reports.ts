import type { Config } from "../../config/schema.ts";
import type { Hub } from "../../hub/hub.ts";
import type { Incidents } from "../../incidents/incidents.ts";
import type { Clock } from "../../resilience/clock.ts";
import type { State } from "../../state/state.ts";
import type { Metric } from "../../telemetry/metrics.ts";
import type { ClientFigures, ReportedThreads } from "./client_figures.ts";
import type { Refusals } from "../door/refusals.ts";
import type { Sockets } from "../sockets/sockets.ts";
import type { FeedMetrics } from "./feed_metrics.ts";
import { hubMetrics } from "./hub_metrics.ts";
import { incidentMetrics } from "./incident_metrics.ts";
import { LoopLag } from "./loop_lag.ts";
import { stateMetrics } from "./state_metrics.ts";
import type { StatusReport } from "./status_report.ts";

/** What comes in and what it comes from, as it is reported. */
export interface Reported {
  /** Undefined for a hub by itself. */
  clusterReport(): StatusReport["cluster"];
  backendReports(): StatusReport["backends"];
  sourceReports(): StatusReport["sources"];
  clusterMetrics(): Metric[];
}

export interface ReportsOptions {
  clock: Clock;
  version: string;
  /** Measures polls and breakers. */
  feed: FeedMetrics;
  hub: Hub;
  ingest: Reported;
  incidents: Incidents;
  /** What outlives the process. Default: nothing does. */
  state?: State;
  refusals: Refusals;
  sockets: Sockets;
  /** The threads that serve the clients. Default: this one does. */
  threads: ReportedThreads | undefined;
  /** The configuration in force. */
  config: () => Config;
  /** How many uncaught errors there were so far. Default: none is counted. */
  uncaughtErrors?: () => number;
  /** How many log lines were left out so far. Default: none is. */
  logLinesLeftOut?: () => number;
}

/** What the hub tells of itself: at `/status` to people, at `/metrics` to Prometheus. */
export class Reports {
  readonly #options: ReportsOptions;
  readonly #startedAt: number;
  readonly #loopLag: LoopLag;

  constructor(options: ReportsOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#loopLag = new LoopLag(options.clock);
  }

  /** Measures until the signal is aborted. */
  run(signal: AbortSignal): Promise<void> {
    return this.#loopLag.run(signal);
  }

  get uptimeSeconds(): number {
    return Math.floor((this.#options.clock.now() - this.#startedAt) / 1000);
  }

  /** Resolves once what follows speaks of everything up to now. */
  async refresh(): Promise<void> {
    await this.#options.threads?.refresh();
  }

  status(): StatusReport {
    const { version, ingest, incidents, state, threads, config } = this.#options;
    const cluster = ingest.clusterReport();
    return {
      version,
      ...(cluster === undefined ? {} : { cluster }),
      ...(state ? { state: state.report() } : {}),
      ...(config().hooks.length > 0 ? { hooks: incidents.hookReports() } : {}),
      ...(threads ? { workers: threads.reports() } : {}),
      uptime_seconds: this.uptimeSeconds,
      ...this.#clients().errors,
      backends: ingest.backendReports(),
      sources: ingest.sourceReports(),
    };
  }

  /** What there is to be scraped, as it stands. */
  metrics(): Metric[] {
    const { ingest, incidents, state, refusals, feed, sockets, threads, config } = this.#options;
    const { uncaughtErrors, logLinesLeftOut } = this.#options;
    const clients = this.#clients();
    const { backends, sources } = config();
    const own = hubMetrics({
      status: this.status(),
      hub: { stats: clients.traffic, backlog: clients.backlog },
      refusals,
      feed,
      scope: { backends: Object.keys(backends), sources },
      loopLag: this.#loopLag.histogram,
      sockets: { ...sockets.figures(), ...clients.sockets },
      uncaughtErrors: (uncaughtErrors?.() ?? 0) + (threads?.mishaps ?? 0),
      logLinesLeftOut: logLinesLeftOut?.() ?? 0,
    });
    return [
      ...own,
      ...stateMetrics(state),
      ...incidentMetrics(incidents),
      ...ingest.clusterMetrics(),
      ...threads?.metrics() ?? [],
    ];
  }

  /** What is counted where the clients are. */
  #clients(): ClientFigures {
    const { hub, sockets, threads } = this.#options;
    return threads?.figures() ?? {
      errors: hub.errorMetrics(),
      traffic: hub.stats,
      backlog: hub.backlog(),
      sockets: sockets.figures(),
    };
  }
}
