import type { ClusterReport } from "../../cluster/cluster_report.ts";
import type { BackendStatus } from "../../feed/guarded_backend.ts";
import type { Display } from "../../config/schema_display.ts";
import type { SourceReport } from "../../values/source_report.ts";
import type { HookReport } from "../../incidents/hooks/hook_queue.ts";
import type { StateReport } from "../../state/state.ts";
import type { ErrorMetrics } from "../../hub/error_counts.ts";

/** What `/status` says of a thread that serves clients. */
export interface WorkerReport {
  readonly clients: number;
  /** How late its event loop came to a timer, at worst of late, in milliseconds. */
  readonly loop_lag_ms: number;
  /** Why it serves nobody; absent while it does. */
  readonly why?: string;
}

/** What `/status` says of a channel: how it stands, who is asked for it, and how it is shown. */
export interface SourceStatus extends SourceReport, Display {
  /** Absent where values are published. */
  readonly backend?: string;
}

/** What `/status` answers. */
export interface StatusReport extends ErrorMetrics {
  readonly version: string;
  /** Absent for a hub by itself. */
  readonly cluster?: ClusterReport;
  /** Absent where nothing outlives the process. */
  readonly state?: StateReport;
  /** Absent where nobody is told of incidents. */
  readonly hooks?: Readonly<Record<string, HookReport>>;
  /** Absent where the main thread serves the clients. */
  readonly workers?: readonly WorkerReport[];
  readonly uptime_seconds: number;
  readonly backends: Readonly<Record<string, BackendStatus>>;
  readonly sources: Readonly<Record<string, SourceStatus>>;
}
