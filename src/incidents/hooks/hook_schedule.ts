import type { Incident } from "../incident.ts";
import type { HookEvent } from "../../protocol/incident.ts";
import { asksFor, concerns, type HookPlan } from "./hook_plan.ts";

/** What a hook has been told of an incident, as kept for another life of the hub. */
export interface ToldRecord {
  readonly incident: string;
  /** When it was last told, in unix milliseconds. */
  readonly toldMs: number;
}

/** Something a hook is to be told now. */
export interface Due {
  readonly event: HookEvent;
  readonly incident: Incident;
}

export interface HookScheduleOptions {
  /** The hook has been told of an incident. */
  onTold?: (record: ToldRecord) => void;
  /** Nothing more will be told of it. */
  onDone?: (incident: string) => void;
}

/**
 * When one hook is told what: only of what lasts `after`, of its end too if it was, and again every
 * `remind` while it lasts. Pure: it owns no clock; `now` is in unix milliseconds. Knows as many
 * incidents as last.
 */
export class HookSchedule {
  readonly #plan: HookPlan;
  readonly #options: HookScheduleOptions;
  /** Those that last and concern the hook; when each was last told, if it was. */
  readonly #ongoing = new Map<string, { incident: Incident; toldMs: number | undefined }>();

  constructor(plan: HookPlan, options: HookScheduleOptions = {}) {
    this.#plan = plan;
    this.#options = options;
  }

  /** Goes on with incidents that last since before, and with what was told of them. */
  restore(incidents: readonly Incident[], told: readonly ToldRecord[]): void {
    const toldMs = new Map(told.map((each) => [each.incident, each.toldMs]));
    for (const incident of incidents) {
      if (!concerns(this.#plan, incident)) continue;
      this.#ongoing.set(incident.id, { incident, toldMs: toldMs.get(incident.id) });
      toldMs.delete(incident.id);
    }
    for (const id of toldMs.keys()) this.#options.onDone?.(id); // ended meanwhile
  }

  /** An incident began, or began again. */
  began(incident: Incident, now: number): Due[] {
    if (!concerns(this.#plan, incident)) return [];
    this.#ongoing.set(incident.id, { incident, toldMs: undefined });
    return this.due(now);
  }

  /** It ended. */
  ended(incident: Incident, now: number): Due[] {
    const due = this.due(now);
    const known = this.#ongoing.get(incident.id);
    if (known === undefined) return due;
    this.#ongoing.delete(incident.id);
    this.#options.onDone?.(incident.id);
    const event = asksFor(this.#plan, incident, "ended");
    return known.toldMs === undefined || event === undefined ? due : [...due, { event, incident }];
  }

  /** Nothing more is to be told of it. */
  forget(id: string): void {
    if (this.#ongoing.delete(id)) this.#options.onDone?.(id);
  }

  /** What is to be told by now. What is returned counts as told. */
  due(now: number): Due[] {
    const due: Due[] = [];
    for (const [id, { incident, toldMs }] of this.#ongoing) {
      if (now < this.#dueMs(incident, toldMs)) continue;
      const event = asksFor(this.#plan, incident, "began");
      this.#ongoing.set(id, { incident, toldMs: now });
      this.#options.onTold?.({ incident: id, toldMs: now });
      if (event !== undefined) due.push({ event, incident });
    }
    return due;
  }

  /** When something is due next, in unix milliseconds; `Infinity` if nothing will be. */
  nextMs(): number {
    let next = Infinity;
    for (const { incident, toldMs } of this.#ongoing.values()) {
      next = Math.min(next, this.#dueMs(incident, toldMs));
    }
    return next;
  }

  #dueMs({ startedMs, resumedMs = startedMs }: Incident, toldMs: number | undefined): number {
    const { afterMs, remindMs } = this.#plan;
    if (toldMs === undefined) return resumedMs + afterMs;
    return remindMs === 0 ? Infinity : toldMs + remindMs;
  }
}
