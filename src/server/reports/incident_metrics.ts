import { INCIDENT_KINDS } from "../../protocol/incident.ts";
import type { Incidents } from "../../incidents/incidents.ts";
import { counter, gauge, type Metric } from "../../telemetry/metrics.ts";

/** Incidents and hooks, to be scraped. */
export function incidentMetrics(
  incidents: Pick<Incidents, "openCounts" | "hookReports">,
): Metric[] {
  const open = incidents.openCounts();
  const hooks = Object.entries(incidents.hookReports());
  const ofHooks = (value: (report: typeof hooks[number][1]) => number) =>
    hooks.map(([hook, report]) => ({ labels: { hook }, value: value(report) }));
  return [
    gauge(
      "holdfast_incidents_open",
      "Incidents that last, by kind.",
      INCIDENT_KINDS.filter((kind) => kind !== "hub_down")
        .map((kind) => ({ labels: { kind }, value: open[kind] ?? 0 })),
    ),
    gauge(
      "holdfast_hook_failing",
      "1 if the hook's last call failed, else 0.",
      ofHooks(({ last_error }) => last_error === null ? 0 : 1),
    ),
    gauge(
      "holdfast_hook_waiting",
      "Messages that wait for the hook.",
      ofHooks((each) => each.waiting),
    ),
    counter(
      "holdfast_hook_delivered_total",
      "Messages that the hook took.",
      ofHooks((each) => each.delivered),
    ),
    counter("holdfast_hook_failures_total", "Calls that failed.", ofHooks((each) => each.failures)),
    counter(
      "holdfast_hook_dropped_total",
      "Messages given up, as they were too old or too many.",
      ofHooks((each) => each.dropped),
    ),
  ];
}
