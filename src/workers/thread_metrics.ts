import type { WorkerReport } from "../server/reports/status_report.ts";
import { counter, gauge, type Metric } from "../telemetry/metrics.ts";

/** What is known of one thread. */
export interface ThreadState extends WorkerReport {
  /** Counted from 1. */
  readonly number: number;
  readonly isAlive: boolean;
}

/**
 * What there is to be scraped of each thread that serves clients.
 *
 * @param restarts Threads that were begun in the place of others.
 */
export function threadMetrics(threads: readonly ThreadState[], restarts: number): Metric[] {
  const ofEach = (value: (thread: ThreadState) => number) =>
    threads.map((each) => ({ labels: { worker: String(each.number) }, value: value(each) }));
  return [
    gauge(
      "holdfast_worker_clients",
      "Clients of each thread that serves some.",
      ofEach(({ clients }) => clients),
    ),
    gauge(
      "holdfast_worker_loop_lag_seconds",
      "How late a thread's event loop came to a timer, at worst of the last five seconds.",
      ofEach(({ loop_lag_ms }) => loop_lag_ms / 1000),
    ),
    gauge(
      "holdfast_worker_up",
      "1 while a thread answers, else 0.",
      ofEach(({ isAlive }) => isAlive ? 1 : 0),
    ),
    counter(
      "holdfast_worker_restarts_total",
      "Threads that ended and were begun again.",
      restarts,
    ),
  ];
}
