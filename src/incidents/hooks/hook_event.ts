import { HOOK_EVENTS, type HookEvent, type IncidentReport } from "../../protocol/incident.ts";
import { type Incident, reportOf } from "../incident.ts";

/** What is told to a hook. */
export interface HookPayload {
  readonly type: typeof HOOK_EVENTS[HookEvent];
  /** When it was said, as ISO 8601. */
  readonly timestamp: string;
  /** One plain sentence. */
  readonly text: string;
  readonly incident: IncidentReport;
}

/** What the beginning, or the end, of an incident is called; undefined for one that hooks hear nothing of. */
export function hookEventOf({ kind }: Incident, edge: "began" | "ended"): HookEvent | undefined {
  switch (kind) {
    case "backend_down":
      return edge === "began" ? "down" : "up";
    case "source_stale":
    case "publisher_silent":
      return edge === "began" ? "stale" : "fresh";
    case "hub_down":
      return undefined; // a hub that is off can call no hook
  }
}

/** @param now Unix milliseconds. */
export function hookPayload(event: HookEvent, incident: Incident, now: number): HookPayload {
  const report = reportOf(incident, now);
  return {
    type: HOOK_EVENTS[event],
    timestamp: new Date(now).toISOString(),
    text: sentenceOf(event, report),
    incident: report,
  };
}

function sentenceOf(event: HookEvent, { backend, channel, duration_ms, cause }: IncidentReport) {
  switch (event) {
    case "down":
      return `Backend "${backend}" is down${lasting(duration_ms)}: ${cause}`;
    case "up":
      return `Backend "${backend}" is up again after ${inWords(duration_ms)}.`;
    case "stale":
      return `The value of "${channel}" is stale${lasting(duration_ms)}: ${cause}`;
    case "fresh":
      return `The value of "${channel}" is fresh again after ${inWords(duration_ms)}.`;
  }
}

/** Said of what has lasted a while, as with `after` and `remind`. */
function lasting(ms: number): string {
  return ms < 1000 ? "" : `, for ${inWords(ms)} now`;
}

/** Two units at most: "4 min 5 s", "3 d 2 h". */
export function inWords(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  let left = Math.round(ms / 1000);
  const parts: string[] = [];
  for (const [unit, seconds] of UNITS) {
    const count = Math.floor(left / seconds);
    left -= count * seconds;
    if (count > 0) parts.push(`${count} ${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}

const UNITS = [["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]] as const;
