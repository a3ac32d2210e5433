import type { Backlog } from "../hub/delivery/backlog.ts";
import type { ErrorMetrics } from "../hub/error_counts.ts";
import type { ClosedBy, FrameCounts, Traffic } from "../hub/hub_stats.ts";
import type { PendingEnd } from "../server/sockets/connection_sweep.ts";
import type { SocketFigures } from "../server/sockets/sockets.ts";
import type { ClientFigures } from "../server/reports/client_figures.ts";
import type { HistogramValue } from "../telemetry/histogram.ts";
import { sumOfHistograms } from "../telemetry/histogram.ts";

/** What a thread that serves clients has counted; plain data. */
export interface ThreadFigures {
  readonly errors: ErrorMetrics;
  readonly backlog: Backlog;
  readonly traffic: TrafficCounts;
  readonly sockets: Omit<SocketFigures, "descriptors" | "pendingEnded"> & {
    readonly pendingEnded: readonly (readonly [PendingEnd, number])[];
  };
  readonly lag: HistogramValue;
  /** The longest lag of late, in milliseconds. */
  readonly lagMs: number;
}

/** {@linkcode Traffic} as plain data. */
export interface TrafficCounts {
  readonly fanOut: HistogramValue;
  readonly broadcasts: number;
  readonly opened: number;
  readonly recovered: number;
  readonly gaps: number;
  readonly closed: Readonly<Record<ClosedBy, readonly (readonly [string, number])[]>>;
  readonly frames: readonly (readonly [string, FrameCounts])[];
}

/** What goes in and out of a hub, as plain data. */
export function trafficCounts(traffic: Traffic): TrafficCounts {
  const { broadcasts, opened, recovered, gaps } = traffic;
  return {
    fanOut: traffic.fanOut.value(),
    broadcasts,
    opened,
    recovered,
    gaps,
    closed: { hub: [...traffic.closedBy("hub")], client: [...traffic.closedBy("client")] },
    frames: [...traffic.frames()],
  };
}

/** A thread that is gone: what it counted stays counted, what it held is gone with it. */
export function withoutHoldings(figures: ThreadFigures): ThreadFigures {
  return {
    ...figures,
    errors: { ...figures.errors, total_clients: 0 },
    backlog: { clients: 0, frames: 0, bytes: 0, bufferedBytes: 0 },
    sockets: { ...figures.sockets, pending: 0 },
    lagMs: 0,
  };
}

/** What several threads have counted together; undefined if there is none. */
export function sumOf(all: readonly ThreadFigures[]): ThreadFigures | undefined {
  const [first, ...others] = all;
  return first && others.reduce(added, first);
}

function added(one: ThreadFigures, other: ThreadFigures): ThreadFigures {
  const { errors: errorsA, backlog: waitA, traffic: trafficA, sockets: socketsA } = one;
  const { errors: errorsB, backlog: waitB, traffic: trafficB, sockets: socketsB } = other;
  const closed = (by: ClosedBy) => [...counted([...trafficA.closed[by], ...trafficB.closed[by]])];
  return {
    errors: addedErrors(errorsA, errorsB),
    backlog: {
      clients: waitA.clients + waitB.clients,
      frames: waitA.frames + waitB.frames,
      bytes: waitA.bytes + waitB.bytes,
      bufferedBytes: waitA.bufferedBytes + waitB.bufferedBytes,
    },
    traffic: {
      fanOut: sumOfHistograms(trafficA.fanOut, trafficB.fanOut),
      broadcasts: trafficA.broadcasts + trafficB.broadcasts,
      opened: trafficA.opened + trafficB.opened,
      recovered: trafficA.recovered + trafficB.recovered,
      gaps: trafficA.gaps + trafficB.gaps,
      closed: { hub: closed("hub"), client: closed("client") },
      frames: [...framesOf([...trafficA.frames, ...trafficB.frames])],
    },
    sockets: {
      pending: socketsA.pending + socketsB.pending,
      pendingEnded: [...counted([...socketsA.pendingEnded, ...socketsB.pendingEnded])],
      listenerLosses: socketsA.listenerLosses + socketsB.listenerLosses,
    },
    lag: sumOfHistograms(one.lag, other.lag),
    lagMs: Math.max(one.lagMs, other.lagMs),
  };
}

/**
 * The figures of all threads, and those that the main thread's hub counts for all: what it
 * broadcasts, and the errors that it says.
 */
export function allFigures(
  own: { errors: ErrorMetrics; traffic: Traffic },
  threads: ThreadFigures,
): ClientFigures {
  const { traffic, sockets, backlog } = threads;
  return {
    // Each thread counts those that it has; how many there are just now the main thread knows best.
    errors: { ...addedErrors(own.errors, threads.errors), total_clients: own.errors.total_clients },
    backlog,
    traffic: {
      fanOut: { value: () => traffic.fanOut },
      broadcasts: own.traffic.broadcasts,
      opened: traffic.opened,
      recovered: traffic.recovered,
      gaps: traffic.gaps,
      closedBy: (by) => new Map(traffic.closed[by]),
      frames: () => new Map(traffic.frames),
    },
    sockets: { ...sockets, pendingEnded: new Map(sockets.pendingEnded) },
  };
}

function addedErrors(one: ErrorMetrics, other: ErrorMetrics): ErrorMetrics {
  return {
    total_clients: one.total_clients + other.total_clients,
    error_count: one.error_count + other.error_count,
    slow_client_drops: one.slow_client_drops + other.slow_client_drops,
    read_errors: one.read_errors + other.read_errors,
    write_errors: one.write_errors + other.write_errors,
    errors_by_code: Object.fromEntries(
      counted([...Object.entries(one.errors_by_code), ...Object.entries(other.errors_by_code)]),
    ),
  };
}

function framesOf(all: TrafficCounts["frames"]): Map<string, FrameCounts> {
  const frames = new Map<string, FrameCounts>();
  for (const [type, { sent, conflated }] of all) {
    const before = frames.get(type) ?? { sent: 0, conflated: 0 };
    frames.set(type, { sent: sent + before.sent, conflated: conflated + before.conflated });
  }
  return frames;
}

function counted<Key>(all: readonly (readonly [Key, number])[]): Map<Key, number> {
  const total = new Map<Key, number>();
  for (const [key, count] of all) total.set(key, (total.get(key) ?? 0) + count);
  return total;
}
