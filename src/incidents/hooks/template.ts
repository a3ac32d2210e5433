import type { HOOK_PLACEHOLDERS } from "../../protocol/incident.ts";
import type { HookPayload } from "./hook_event.ts";

/** A body as the configuration has it: JSON whose strings may hold `{{…}}`. */
export type Template = unknown;

type Placeholder = typeof HOOK_PLACEHOLDERS[number];

/** `{{name}}`, or `{{name | escape}}`, which Slack's markup needs. */
const REFERENCE = /\{\{\s*([a-z_.]+)\s*(\|\s*escape\s*)?\}\}/g;

const ONE_REFERENCE = /^\{\{\s*([a-z_.]+)\s*\}\}$/;

/**
 * Fills in a body. A string that is one placeholder and nothing else becomes what that stands for,
 * number or text, and a member without a value is left out; within a longer string it is text.
 *
 * @returns JSON text.
 */
export function fillIn(template: Template, payload: HookPayload): string {
  return JSON.stringify(filled(template, valuesOf(payload)) ?? null);
}

type Values = Readonly<Record<Placeholder, string | number | undefined>>;

function filled(template: Template, values: Values): unknown {
  if (typeof template === "string") return filledString(template, values);
  if (Array.isArray(template)) return template.map((each) => filled(each, values) ?? null);
  if (typeof template !== "object" || template === null) return template;
  return Object.fromEntries(
    Object.entries(template).map(([key, each]) => [key, filled(each, values)]),
  );
}

function filledString(text: string, values: Values): string | number | undefined {
  const only = ONE_REFERENCE.exec(text)?.[1];
  if (only !== undefined) return valueOf(only, values);
  return text.replace(REFERENCE, (_, name: string, escaped: string | undefined) => {
    const value = String(valueOf(name, values) ?? "");
    return escaped === undefined ? value : escapeMarkup(value);
  });
}

function valueOf(name: string, values: Values): string | number | undefined {
  return Object.hasOwn(values, name) ? values[name as Placeholder] : undefined;
}

/** What begins a mention, a link or an entity in Slack's markup. */
function escapeMarkup(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function valuesOf({ type, timestamp, text, incident }: HookPayload): Values {
  return {
    type,
    timestamp,
    text,
    "incident.id": incident.id,
    "incident.kind": incident.kind,
    "incident.backend": incident.backend,
    "incident.channel": incident.channel,
    "incident.started_at": incident.started_at,
    "incident.ended_at": incident.ended_at ?? undefined,
    "incident.started_time": isoTime(incident.started_at),
    "incident.ended_time": incident.ended_at === null ? undefined : isoTime(incident.ended_at),
    "incident.duration_ms": incident.duration_ms,
    "incident.cause": incident.cause,
    "incident.failures": incident.failures,
    "incident.times": incident.times,
  };
}

function isoTime(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toISOString();
}
