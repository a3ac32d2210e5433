import type { ClusterReport } from "../cluster/cluster_options.ts";
import type { BackendReport } from "../feed/backend_feed.ts";
import type { SourceReport } from "../feed/source_feed.ts";
import type { ErrorMetrics } from "../hub/error_counts.ts";

/** What `/status` answers. */
export interface StatusReport extends ErrorMetrics {
  readonly version: string;
  /** Absent for a hub by itself. */
  readonly cluster?: ClusterReport;
  readonly uptime_seconds: number;
  readonly backends: Readonly<Record<string, BackendReport>>;
  readonly sources: Readonly<Record<string, SourceReport>>;
}
