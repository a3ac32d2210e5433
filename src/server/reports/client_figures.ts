import type { Backlog } from "../../hub/delivery/backlog.ts";
import type { ErrorMetrics } from "../../hub/error_counts.ts";
import type { Traffic } from "../../hub/hub_stats.ts";
import type { Metric } from "../../telemetry/metrics.ts";
import type { SocketFigures } from "../sockets/sockets.ts";
import type { WorkerReport } from "./status_report.ts";

/** What is counted where clients are served. */
export interface ClientFigures {
  readonly errors: ErrorMetrics;
  readonly backlog: Backlog;
  readonly traffic: Traffic;
  readonly sockets: Omit<SocketFigures, "descriptors">;
}

/** Threads that serve clients, as far as they are told of. */
export interface ReportedThreads {
  /** Errors that nobody caught there. */
  readonly mishaps: number;
  /** Has them tell what they have counted; resolves in bounded time. */
  refresh(): Promise<void>;
  figures(): ClientFigures;
  reports(): readonly WorkerReport[];
  metrics(): Metric[];
}
