import type { State } from "../../state/state.ts";
import { counter, gauge, histogram, type Metric } from "../../telemetry/metrics.ts";

/** What is kept on the disk, to be scraped; none for a hub that keeps nothing. */
export function stateMetrics(state: State | undefined): Metric[] {
  if (state === undefined) return [];
  const { bytes } = state.report();
  return [
    gauge(
      "holdfast_state_ok",
      "1 while what happens is being kept, else 0.",
      state.isKeeping ? 1 : 0,
    ),
    gauge("holdfast_state_bytes", "Size of the state's folder.", bytes),
    gauge("holdfast_state_waiting", "Changes that the store has not taken yet.", state.waiting),
    gauge(
      "holdfast_state_put_aside",
      "1 if this life of the hub began with putting aside a store that could not be used.",
      state.wasPutAside ? 1 : 0,
    ),
    counter(
      "holdfast_state_failures_total",
      "Times that nothing could be kept any more.",
      state.failures,
    ),
    histogram(
      "holdfast_state_write_duration_seconds",
      "Time to write a change down before anybody hears of it.",
      state.writeSeconds.value(),
    ),
  ];
}
