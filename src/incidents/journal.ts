import { crc32 } from "node:zlib";
import type { IncidentReport } from "../protocol/incident.ts";
import { type Incident, type IncidentSubject, reportOf, subjectKey } from "./incident.ts";

/**
 * Incidents kept at one time, some 4 MB. When full, the one that ended first is forgotten, whatever
 * its age.
 */
export const MAX_INCIDENTS = 10_000;

/** What begins again this soon after its end is the same incident going on, in milliseconds. */
export const FLAPPING_MS = 60_000;

/** Longest cause that is kept, in characters: what chat tools show, and what a page has room for. */
const MAX_CAUSE = 500;

export interface JournalOptions {
  /** How long an incident is kept after its end, in milliseconds. */
  keepForMs: number;
  /** Told of each incident that is new or changed, before anybody else hears of it. */
  onChanged?: (incident: Incident) => void;
  onForgotten?: (incident: Incident) => void;
}

/** Why an incident begins. */
export interface Beginning {
  readonly cause: string;
  /** Default 0. */
  readonly failures?: number;
  /**
   * A moment that every hub of a cluster knows it by, in unix milliseconds: they see it begin at
   * different ones, and call it by the same id. Default: no other hub knows of it.
   */
  readonly sharedMs?: number;
}

/** Which incidents are asked for; moments in unix milliseconds. */
export interface IncidentQuery {
  readonly id?: string;
  /** Those that lasted at this moment or later. */
  readonly sinceMs?: number;
  /** Those that had begun by then. */
  readonly untilMs?: number;
  readonly channel?: string;
  readonly backend?: string;
  /** Only those that last. */
  readonly isOpen?: boolean;
  readonly limit?: number;
}

/**
 * What failed, when, for how long and why. Pure: it owns no clock; `now` is in unix milliseconds.
 * Bounded by number and by age.
 */
export class IncidentJournal {
  readonly #options: JournalOptions;
  /** In the order of their beginning. */
  readonly #all = new Map<string, Incident>();
  /** The latest of each subject. */
  readonly #latest = new Map<string, string>();

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Those that last, in the order of their beginning. */
  open(): Incident[] {
    return [...this.#all.values()].filter(({ endedMs }) => endedMs === undefined);
  }

  /** The one that lasts for this subject, if there is one. */
  ongoing(subject: IncidentSubject): Incident | undefined {
    const incident = this.#latestOf(subject);
    return incident?.endedMs === undefined ? incident : undefined;
  }

  /**
   * Something fails. If it did already, the incident goes on, with the newer cause; if it did within
   * the last minute, that incident goes on as well, and is counted once more.
   *
   * @returns The incident if it began, or began again; undefined if it only goes on.
   */
  begin(subject: IncidentSubject, why: Beginning, now: number): Incident | undefined {
    const { failures = 0 } = why;
    const cause = shortened(why.cause);
    const latest = this.#latestOf(subject);
    if (latest && latest.endedMs === undefined) {
      this.#change({ ...latest, cause, failures: Math.max(failures, latest.failures) });
      return undefined;
    }
    if (latest?.endedMs !== undefined && now - latest.endedMs < FLAPPING_MS) {
      const { endedMs: _over, ...before } = latest;
      return this.#change({
        ...before,
        cause,
        failures: Math.max(failures, latest.failures),
        times: latest.times + 1,
        resumedMs: now,
      });
    }
    const { kind, backend, channel } = subject;
    return this.add({
      id: this.#idOf(subject, why, now),
      kind,
      ...(backend === undefined ? {} : { backend }),
      ...(channel === undefined ? {} : { channel }),
      startedMs: now,
      cause,
      failures,
      times: 1,
    });
  }

  /** It works again. Returns the incident that ended; undefined if there was none. */
  end(subject: IncidentSubject, now: number): Incident | undefined {
    const incident = this.ongoing(subject);
    return incident && this.#change({ ...incident, endedMs: Math.max(now, incident.startedMs) });
  }

  /** Enters an incident as it is: one that is over, or of an earlier life of the hub. */
  add(incident: Incident): Incident {
    this.#latest.set(subjectKey(incident), incident.id);
    this.#change(incident);
    this.#forgetTooMany();
    return incident;
  }

  /** Newest first. */
  find(query: IncidentQuery, now: number): IncidentReport[] {
    const { sinceMs = -Infinity, untilMs = Infinity, limit = Infinity } = query;
    const found: IncidentReport[] = [];
    for (const each of [...this.#all.values()].sort((a, b) => b.startedMs - a.startedMs)) {
      if (found.length >= limit) break;
      if (each.startedMs > untilMs || (each.endedMs ?? Infinity) < sinceMs) continue;
      if (query.id !== undefined && each.id !== query.id) continue;
      if (query.channel !== undefined && each.channel !== query.channel) continue;
      if (query.backend !== undefined && each.backend !== query.backend) continue;
      if (query.isOpen && each.endedMs !== undefined) continue;
      found.push(reportOf(each, now));
    }
    return found;
  }

  /** Forgets what ended long ago. */
  prune(now: number): void {
    for (const incident of [...this.#all.values()]) {
      if (incident.endedMs === undefined) continue;
      if (now - incident.endedMs > this.#options.keepForMs) this.#forget(incident);
    }
  }

  /** All of it, for another life of the hub. */
  all(): Incident[] {
    return [...this.#all.values()];
  }

  #idOf(subject: IncidentSubject, { sharedMs }: Beginning, now: number): string {
    if (sharedMs !== undefined) {
      const sum = crc32(subjectKey(subject)).toString(16).padStart(8, "0");
      const id = `${subject.kind}-${Math.floor(sharedMs)}-${sum}`;
      // A channel can go stale twice over one value: on losing the stream, and by age.
      if (!this.#all.has(id)) return id;
    }
    return `${subject.kind}-${Math.floor(now)}-${crypto.randomUUID().slice(0, 8)}`;
  }

  #latestOf(subject: IncidentSubject): Incident | undefined {
    return this.#all.get(this.#latest.get(subjectKey(subject)) ?? "");
  }

  #change(incident: Incident): Incident {
    this.#all.set(incident.id, incident);
    this.#options.onChanged?.(incident);
    return incident;
  }

  #forgetTooMany(): void {
    for (const incident of this.#all.values()) {
      if (this.#all.size <= MAX_INCIDENTS) return;
      if (incident.endedMs !== undefined) this.#forget(incident);
    }
  }

  #forget(incident: Incident): void {
    this.#all.delete(incident.id);
    const key = subjectKey(incident);
    if (this.#latest.get(key) === incident.id) this.#latest.delete(key);
    this.#options.onForgotten?.(incident);
  }
}

function shortened(cause: string): string {
  return cause.length <= MAX_CAUSE ? cause : `${cause.slice(0, MAX_CAUSE)}…`;
}
