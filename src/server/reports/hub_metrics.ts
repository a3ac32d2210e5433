import type { Backlog } from "../../hub/delivery/backlog.ts";
import type { Traffic } from "../../hub/hub_stats.ts";
import { ERROR_CODES } from "../../protocol/error_event.ts";
import type { Histogram } from "../../telemetry/histogram.ts";
import { counter, gauge, histogram, type Metric } from "../../telemetry/metrics.ts";
import { processFigures } from "../../telemetry/process_figures.ts";
import type { Refusals } from "../door/refusals.ts";
import type { FeedMetrics, FeedScope } from "./feed_metrics.ts";
import type { SocketFigures } from "../sockets/sockets.ts";
import type { StatusReport } from "./status_report.ts";

/** Where the figures come from. */
export interface MetricSources {
  readonly status: StatusReport;
  readonly hub: HubFigures;
  readonly refusals: Pick<Refusals, "counts">;
  readonly feed: FeedMetrics;
  readonly scope: FeedScope;
  readonly loopLag: Histogram;
  readonly sockets: SocketFigures;
  readonly uncaughtErrors: number;
  readonly logLinesLeftOut: number;
}

/** What a hub tells of its clients. */
export interface HubFigures {
  readonly stats: Traffic;
  readonly backlog: Backlog;
}

/**
 * Everything there is to be scraped, as it stands. Label values come from the configuration and
 * from tables of this program, never from clients, so their number is bounded.
 */
export function hubMetrics(sources: MetricSources): Metric[] {
  const { status, hub, refusals, feed, scope, loopLag, sockets } = sources;
  const { uncaughtErrors, logLinesLeftOut } = sources;
  return [
    ...statusMetrics(status),
    ...backendMetrics(status.backends),
    ...sourceMetrics(status.sources),
    ...feed.metrics(scope),
    ...trafficMetrics(hub),
    counter(
      "holdfast_clients_refused_total",
      "Requests that were not let in, by reason.",
      [...refusals.counts()].map(([reason, value]) => ({ labels: { reason }, value })),
    ),
    histogram(
      "holdfast_event_loop_lag_seconds",
      "How late the event loop came to a timer that was due.",
      loopLag.value(),
    ),
    counter(
      "holdfast_mishaps_total",
      "Uncaught errors; the hub goes on.",
      uncaughtErrors,
    ),
    counter(
      "holdfast_log_lines_left_out_total",
      "Log lines left out because their reader was too slow.",
      logLinesLeftOut,
    ),
    ...socketMetrics(sockets),
    ...processFigures(sockets.descriptors),
  ];
}

function socketMetrics({ pending, pendingEnded, listenerLosses }: SocketFigures): Metric[] {
  return [
    gauge(
      "holdfast_pending_connections",
      "Connections that are no client's: on the way to a request, or between two.",
      pending,
    ),
    counter(
      "holdfast_pending_connections_ended_total",
      "Connections that were no client's and that the hub ended, by why.",
      [...pendingEnded].map(([reason, value]) => ({ labels: { reason }, value })),
    ),
    counter(
      "holdfast_listener_losses_total",
      "Times the listening socket ended by itself and had to be opened again.",
      listenerLosses,
    ),
  ];
}

/** The counters of `/status`. */
function statusMetrics(status: StatusReport): Metric[] {
  return [
    gauge("holdfast_build_info", "The version that runs; always 1.", [
      { labels: { version: status.version }, value: 1 },
    ]),
    gauge("holdfast_uptime_seconds", "How long the hub has been up.", status.uptime_seconds),
    gauge("holdfast_clients", "Clients connected.", status.total_clients),
    counter(
      "holdfast_errors_total",
      "Error events told to clients, to all or to one, by code.",
      ERROR_CODES.map((code) => ({ labels: { code }, value: status.errors_by_code[code] ?? 0 })),
    ),
    counter(
      "holdfast_slow_client_drops_total",
      "Clients closed because they could not be kept up to date.",
      status.slow_client_drops,
    ),
    counter(
      "holdfast_read_errors_total",
      "Connections that broke without a closing handshake.",
      status.read_errors,
    ),
    counter(
      "holdfast_write_errors_total",
      "Frames that could not be written when they were handed over.",
      status.write_errors,
    ),
  ];
}

const BREAKER_STATES = ["closed", "open", "half_open"] as const;

function backendMetrics(backends: StatusReport["backends"]): Metric[] {
  const all = Object.entries(backends);
  return [
    gauge(
      "holdfast_breaker_state",
      "The state a backend's breaker is in: 1 for that one, 0 for the others.",
      all.flatMap(([backend, report]) =>
        BREAKER_STATES.map((state) => ({
          labels: { backend, state },
          value: report.state === state ? 1 : 0,
        }))
      ),
    ),
    gauge(
      "holdfast_backend_consecutive_failures",
      "Failures of a backend in a row.",
      all.map(([backend, { consecutive_failures: value }]) => ({ labels: { backend }, value })),
    ),
    gauge(
      "holdfast_backend_retry_after_seconds",
      "Time until a backend whose breaker is open is tried again; 0 unless open.",
      all.map(([backend, report]) => ({
        labels: { backend },
        value: report.retry_after_ms / 1000,
      })),
    ),
  ];
}

function sourceMetrics(sources: StatusReport["sources"]): Metric[] {
  const all = Object.entries(sources);
  return [
    gauge(
      "holdfast_snapshot_age_seconds",
      "Age of a channel's last good value; absent before the first.",
      all.flatMap(([channel, { age_ms }]) =>
        age_ms === null ? [] : [{ labels: { channel }, value: age_ms / 1000 }]
      ),
    ),
    gauge(
      "holdfast_snapshot_stale",
      "1 where a channel has no current value, whether an old one or none; else 0.",
      all.map(([channel, { is_stale }]) => ({ labels: { channel }, value: is_stale ? 1 : 0 })),
    ),
    gauge(
      "holdfast_source_last_success_timestamp_seconds",
      "When a source last gave a value, in unix seconds; absent before the first.",
      all.flatMap(([channel, { last_success }]) =>
        last_success === null ? [] : [{ labels: { channel }, value: last_success }]
      ),
    ),
  ];
}

function trafficMetrics({ backlog, stats }: HubFigures): Metric[] {
  const frames = [...stats.frames()];
  return [
    counter(
      "holdfast_broadcasts_total",
      "Frames broadcast, with or without subscribers.",
      stats.broadcasts,
    ),
    histogram(
      "holdfast_fan_out_duration_seconds",
      "Time to hand a broadcast to every client that wants it, or to its outbox.",
      stats.fanOut.value(),
    ),
    counter(
      "holdfast_frames_sent_total",
      "Frames handed to connections, one for each client, by type.",
      frames.map(([type, { sent }]) => ({ labels: { type }, value: sent })),
    ),
    counter(
      "holdfast_frames_conflated_total",
      "Frames never sent as a newer one of their type took their place, by type.",
      frames.map(([type, { conflated }]) => ({ labels: { type }, value: conflated })),
    ),
    gauge("holdfast_outbox_clients", "Clients for which frames wait.", backlog.clients),
    gauge(
      "holdfast_outbox_frames",
      "Frames that wait in outboxes, of all clients.",
      backlog.frames,
    ),
    gauge("holdfast_outbox_bytes", "Length of the frames that wait in outboxes.", backlog.bytes),
    gauge(
      "holdfast_connection_buffered_bytes",
      "Bytes handed to connections that the operating system has not taken yet.",
      backlog.bufferedBytes,
    ),
    counter("holdfast_connections_opened_total", "Clients welcomed.", stats.opened),
    counter(
      "holdfast_connections_closed_total",
      'Connections ended, by who ended them and the close code: "none" is a client that vanished ' +
        'or an event stream, "other" a code of a client\'s own.',
      (["hub", "client"] as const).flatMap((by) =>
        [...stats.closedBy(by)].map(([code, value]) => ({ labels: { by, code }, value }))
      ),
    ),
    counter(
      "holdfast_resumes_total",
      "Clients that came back, by what became of what they missed.",
      [
        { labels: { result: "recovered" }, value: stats.recovered },
        { labels: { result: "gap" }, value: stats.gaps },
      ],
    ),
  ];
}
