import type { HookMessage } from "../../incidents/hooks/hook_queue.ts";
import type { ToldRecord } from "../../incidents/hooks/hook_schedule.ts";
import type { HookPast } from "../../incidents/hooks/hooks.ts";
import type { SignOfLife } from "../../incidents/hub_life.ts";
import type { Incident } from "../../incidents/incident.ts";
import type { IncidentKeeper, IncidentsPast } from "../../incidents/incidents.ts";
import type { StandingEntry } from "../../incidents/standing_log.ts";
import type { Change } from "../../state/change.ts";
import type { State } from "../../state/state.ts";
import { bodiesOf, change } from "./records.ts";

const ALIVE = "alive";

interface Owed<T> {
  readonly hook: string;
  readonly what: T;
}

/** Has incidents, how channels stood, and what hooks are owed, kept. */
export function incidentKeeper(write: (changes: Change[]) => void): IncidentKeeper {
  const put = (...args: Parameters<typeof change>) => write([change(...args)]);
  const standingKey = ({ channel, atMs }: StandingEntry) =>
    `${channel}/${String(Math.floor(atMs)).padStart(15, "0")}`;
  return {
    incident: (id, incident) => put("incident", id, incident),
    standing: (entry, isKept) => put("uptime", standingKey(entry), isKept ? entry : undefined),
    alive: (sign) => put("life", ALIVE, sign),
    told: (hook, what) => put("hook", `${hook}/${what.incident}`, { hook, what }),
    done: (hook, incident) => put("hook", `${hook}/${incident}`, undefined),
    added: (hook, what) => put("delivery", `${hook}/${what.key}`, { hook, what }),
    removed: (hook, { key }) => put("delivery", `${hook}/${key}`, undefined),
  };
}

/** What incidents and hooks go on from. */
export function incidentsPast({ past: { kept, end } }: State): IncidentsPast {
  const told = [...bodiesOf<Owed<ToldRecord>>(kept, "hook").values()];
  const waiting = [...bodiesOf<Owed<HookMessage>>(kept, "delivery").values()];
  const hooks = new Map<string, HookPast>();
  for (const name of new Set([...told, ...waiting].map(({ hook }) => hook))) {
    const own = <T>(owed: readonly Owed<T>[]) =>
      owed.filter(({ hook }) => hook === name).map(({ what }) => what);
    hooks.set(name, { told: own(told), waiting: own(waiting) });
  }
  const sign = bodiesOf<SignOfLife>(kept, "life").get(ALIVE);
  return {
    incidents: [...bodiesOf<Incident>(kept, "incident").values()],
    standings: [...bodiesOf<StandingEntry>(kept, "uptime").values()],
    hooks,
    ...(sign === undefined || end === "first" ? {} : { ended: { how: end, sign } }),
  };
}
