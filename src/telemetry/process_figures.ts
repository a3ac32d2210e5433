import process from "node:process";
import { counter, gauge, type Metric } from "./metrics.ts";

/** What only the operating system knows; a figure is absent where there is no way to ask. */
export interface Descriptors {
  /** Descriptors open now. */
  readonly open?: number;
  /** Descriptors this process may have. */
  readonly max?: number;
}

/**
 * What this process takes of the machine, under the names that every Prometheus client uses. Read
 * from the runtime, which needs no permission for it; metrics libraries read `/proc`, which does.
 */
export function processFigures({ open, max }: Descriptors = {}): Metric[] {
  const { rss, heapTotal, heapUsed, external } = Deno.memoryUsage();
  const { user, system } = process.cpuUsage();
  return [
    counter(
      "process_cpu_seconds_total",
      "Processor time used, in user and system mode.",
      (user + system) / 1e6,
    ),
    gauge("process_resident_memory_bytes", "Resident memory.", rss),
    gauge("process_heap_bytes", "JavaScript heap.", heapTotal),
    gauge("process_heap_used_bytes", "JavaScript heap that is in use.", heapUsed),
    gauge(
      "process_external_memory_bytes",
      "Memory outside the heap held by objects in it.",
      external,
    ),
    gauge("process_open_fds", "Open file descriptors.", open),
    gauge("process_max_fds", "Most file descriptors this process may open.", max),
    gauge(
      "process_start_time_seconds",
      "When the process started, in unix seconds.",
      performance.timeOrigin / 1000,
    ),
  ];
}
