import type { ProxySetting } from "../../rpc/http/proxy.ts";
import type { Incident } from "../incident.ts";
import type { HookEvent } from "../../protocol/incident.ts";
import { hookEventOf } from "./hook_event.ts";
import type { Template } from "./template.ts";

/** Whom to call, of what, and when. */
export interface HookPlan {
  readonly name: string;
  readonly url: string;
  /** Signs each call; undefined: calls are not signed. */
  readonly secret?: string;
  readonly on: readonly HookEvent[];
  /** Patterns such as `agent_*`. */
  readonly backends: readonly string[];
  readonly channels: readonly string[];
  /** Only what lasts this long is told, in milliseconds. */
  readonly afterMs: number;
  /** Told again at this distance while it lasts, in milliseconds; 0: once. */
  readonly remindMs: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Default: "none". */
  readonly proxy?: ProxySetting;
  /** Default: the payload as it is. */
  readonly body?: Template;
}

/** Whether a hook is to hear of an incident at all, by its subject. */
export function concerns({ backends, channels }: HookPlan, incident: Incident): boolean {
  const { backend, channel } = incident;
  if (channel !== undefined && !channels.some((each) => matches(each, channel))) return false;
  return backend === undefined || backends.some((each) => matches(each, backend));
}

/** Whether a hook asked for this. */
export function asksFor(
  { on }: HookPlan,
  incident: Incident,
  edge: "began" | "ended",
): HookEvent | undefined {
  const event = hookEventOf(incident, edge);
  return event !== undefined && on.includes(event) ? event : undefined;
}

function matches(pattern: string, name: string): boolean {
  if (!pattern.includes("*")) return pattern === name;
  const parts = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(name);
}
