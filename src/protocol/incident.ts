/** Incidents on the wire: as `GET /incidents` tells them, and as hooks are told. */

export const INCIDENT_KINDS = [
  "backend_down",
  "source_stale",
  "publisher_silent",
  "hub_down",
] as const;
export type IncidentKind = typeof INCIDENT_KINDS[number];

/** An incident on the wire; a type, so that it passes for any JSON object. */
export type IncidentReport = {
  readonly id: string;
  readonly kind: IncidentKind;
  readonly backend?: string;
  readonly channel?: string;
  /** Unix seconds, here and below. */
  readonly started_at: number;
  /** Null while it lasts. */
  readonly ended_at: number | null;
  /** Until now while it lasts. */
  readonly duration_ms: number;
  readonly cause: string;
  readonly failures: number;
  readonly times: number;
  readonly uncertain_ms?: number;
};

/** What a hook can ask for, and the type it is told under. */
export const HOOK_EVENTS = {
  down: "backend.down",
  up: "backend.up",
  stale: "source.stale",
  fresh: "source.fresh",
} as const;

export type HookEvent = keyof typeof HOOK_EVENTS;

/** What may stand between `{{` and `}}` in the body of a hook. */
export const HOOK_PLACEHOLDERS = [
  "type",
  "timestamp",
  "text",
  "incident.id",
  "incident.kind",
  "incident.backend",
  "incident.channel",
  "incident.started_at",
  "incident.ended_at",
  "incident.started_time",
  "incident.ended_time",
  "incident.duration_ms",
  "incident.cause",
  "incident.failures",
  "incident.times",
] as const;
