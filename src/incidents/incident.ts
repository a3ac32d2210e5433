import type { IncidentKind, IncidentReport } from "../protocol/incident.ts";

/** What it happened to: a backend, a channel, or the hub itself. */
export interface IncidentSubject {
  readonly kind: IncidentKind;
  readonly backend?: string;
  readonly channel?: string;
}

/** Something that failed, from when to when, and why. Moments in unix milliseconds. */
export interface Incident extends IncidentSubject {
  readonly id: string;
  readonly startedMs: number;
  /** When it began the last time, if it came back. */
  readonly resumedMs?: number;
  /** Undefined while it lasts. */
  readonly endedMs?: number;
  /** The reason, in a sentence. */
  readonly cause: string;
  /** Failures in a row when it began, or the most since. */
  readonly failures: number;
  /** How often it began: more than once if it came back within a minute. */
  readonly times: number;
  /** By how much the true beginning may be later than this one. */
  readonly uncertainMs?: number;
}

/** @param now Unix milliseconds. */
export function reportOf(incident: Incident, now: number): IncidentReport {
  const { id, kind, backend, channel, startedMs, endedMs, cause, failures, times } = incident;
  const { uncertainMs } = incident;
  return {
    id,
    kind,
    ...(backend === undefined ? {} : { backend }),
    ...(channel === undefined ? {} : { channel }),
    started_at: Math.floor(startedMs / 1000),
    ended_at: endedMs === undefined ? null : Math.floor(endedMs / 1000),
    duration_ms: Math.max(0, Math.round((endedMs ?? now) - startedMs)),
    cause,
    failures,
    times,
    ...(uncertainMs === undefined ? {} : { uncertain_ms: uncertainMs }),
  };
}

/** Tells the same thing happening again from another one. */
export function subjectKey({ kind, backend = "", channel = "" }: IncidentSubject): string {
  return `${kind} ${backend} ${channel}`;
}
