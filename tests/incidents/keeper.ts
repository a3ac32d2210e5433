import type { HookMessage } from "../../src/incidents/hooks/hook_queue.ts";
import type { ToldRecord } from "../../src/incidents/hooks/hook_schedule.ts";
import type { HookPast } from "../../src/incidents/hooks/hooks.ts";
import type { LifeEnd, SignOfLife } from "../../src/incidents/hub_life.ts";
import type { Incident } from "../../src/incidents/incident.ts";
import type { IncidentKeeper, IncidentsPast } from "../../src/incidents/incidents.ts";
import type { StandingEntry } from "../../src/incidents/standing_log.ts";

/** A keeper in memory, and what another life would get of it. */
export function keeperOf() {
  const incidents = new Map<string, Incident>();
  const standings = new Map<string, StandingEntry>();
  const told = new Map<string, [hook: string, record: ToldRecord]>();
  const waiting = new Map<string, [hook: string, message: HookMessage]>();
  let sign: SignOfLife | undefined;
  const keeper: IncidentKeeper = {
    incident: (id, incident) => {
      if (incident) incidents.set(id, incident);
      else incidents.delete(id);
    },
    standing: (entry, isKept) => {
      const key = `${entry.channel} ${entry.atMs}`;
      if (isKept) standings.set(key, entry);
      else standings.delete(key);
    },
    alive: (each) => sign = each,
    told: (hook, record) => told.set(`${hook} ${record.incident}`, [hook, record]),
    done: (hook, incident) => void told.delete(`${hook} ${incident}`),
    added: (hook, message) => waiting.set(`${hook} ${message.key}`, [hook, message]),
    removed: (hook, message) => void waiting.delete(`${hook} ${message.key}`),
  };
  const past = (how: LifeEnd): IncidentsPast => {
    const hooks = new Map<string, HookPast>();
    for (const name of new Set([...told.values(), ...waiting.values()].map(([hook]) => hook))) {
      hooks.set(name, {
        told: [...told.values()].filter(([hook]) => hook === name).map(([, each]) => each),
        waiting: [...waiting.values()].filter(([hook]) => hook === name).map(([, each]) => each),
      });
    }
    return {
      incidents: [...incidents.values()],
      standings: [...standings.values()],
      hooks,
      ...(sign ? { ended: { how, sign } } : {}),
    };
  };
  return { keeper, past };
}
