/** The part of the wire that hooks get: what a configuration may ask for, and what is sent for it. */

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
