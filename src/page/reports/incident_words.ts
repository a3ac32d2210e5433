import type { IncidentReport } from "../../protocol/incident.ts";
import { formatDuration, formatMoment, formatPlain, inWords } from "../format.ts";

export interface IncidentWords {
  /** `core down 28 s, 16:48:22 to 16:48:50`. */
  readonly what: string;
  readonly why: string;
  /** `9 failures in a row, began 3 times`; absent if there is nothing of that kind to say. */
  readonly more?: string;
}

/**
 * An incident as people tell it.
 *
 * @param titleOf What a channel is called.
 * @param now Unix seconds.
 */
export function incidentWords(
  incident: IncidentReport,
  titleOf: (channel: string) => string,
  now: number,
): IncidentWords {
  const { kind, channel, backend, started_at, ended_at, cause, failures, times } = incident;
  const { duration_ms } = incident;
  const subject = channel === undefined ? backend ?? "The hub" : titleOf(channel);
  const lastedMs = ended_at === null ? Math.max(0, now - started_at) * 1000 : duration_ms;
  const day = new Date(now * 1000);
  const from = formatMoment(started_at, day);
  const when = ended_at === null
    ? `for ${formatDuration(lastedMs)}, since ${from}`
    : `${formatDuration(lastedMs)}, ${from} to ${formatMoment(ended_at, dayOf(started_at, day))}`;
  const more = [
    ...(failures > 1 ? [`${formatPlain(failures)} failures in a row`] : []),
    ...(times > 1 ? [`began ${formatPlain(times)} times`] : []),
  ];
  return {
    what: `${subject} ${stateOf(kind)} ${when}`,
    why: inWords(cause),
    ...(more.length > 0 ? { more: more.join(", ") } : {}),
  };
}

/** What ended on the day it began needs no second date. */
function dayOf(unixSeconds: number, today: Date): Date {
  const began = new Date(unixSeconds * 1000);
  return began.toDateString() === today.toDateString() ? today : began;
}

function stateOf(kind: string): string {
  switch (kind) {
    case "backend_down":
      return "down";
    case "source_stale":
      return "stale";
    case "publisher_silent":
      return "silent";
    case "hub_down":
      return "off";
    default:
      return kind.replaceAll("_", " ");
  }
}

/** Those that last first, a backend's before its sources'; then the newest. */
export function openFirst(incidents: readonly IncidentReport[]): IncidentReport[] {
  const weight = ({ ended_at, channel }: IncidentReport) =>
    ended_at !== null ? 0 : channel === undefined ? 2 : 1;
  return incidents.toSorted((a, b) => weight(b) - weight(a) || b.started_at - a.started_at);
}

/** Errors of a backend's calls; incidents tell of them. */
const OF_CALLS: ReadonlySet<string> = new Set(["RPC_FAILURE", "CIRCUIT_OPEN", "RPC_RECOVERED"]);

/** Whether incidents tell of an error, so that no list has to count it once more. */
export function isToldByIncidents(code: string): boolean {
  return OF_CALLS.has(code);
}
