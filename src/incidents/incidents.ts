import type { IncidentReport } from "../protocol/incident.ts";
import type { Clock } from "../resilience/clock.ts";
import type { HookPlan } from "./hooks/hook_plan.ts";
import type { HookReport } from "./hooks/hook_queue.ts";
import { type HookKeeper, type HookPast, Hooks, type HooksOptions } from "./hooks/hooks.ts";
import { hubDown, type LifeEnd, SIGN_EVERY_MS, type SignOfLife } from "./hub_life.ts";
import type { Incident, IncidentSubject } from "./incident.ts";
import { type Beginning, IncidentJournal, type IncidentQuery } from "./journal.ts";
import { type StandingEntry, StandingLog, type Uptime } from "./standing_log.ts";

/** Between two looks at what is too old, in milliseconds. */
const PRUNE_EVERY_MS = 60_000;

/** Keeps what is to outlive the process. `undefined` in place of a value: forgotten. */
export interface IncidentKeeper extends HookKeeper {
  incident(id: string, incident: Incident | undefined): void;
  standing(entry: StandingEntry, isKept: boolean): void;
  alive(sign: SignOfLife): void;
}

/** What an earlier life of the hub left. */
export interface IncidentsPast {
  readonly incidents: readonly Incident[];
  readonly standings: readonly StandingEntry[];
  readonly hooks: ReadonlyMap<string, HookPast>;
  /** How that life ended, and its last sign; absent where there was none. */
  readonly ended?: { readonly how: LifeEnd; readonly sign: SignOfLife };
}

export interface IncidentsOptions extends Pick<HooksOptions, "isCaller" | "proxyEnvironment"> {
  clock: Clock;
  /** How long an incident is kept after its end, in milliseconds. */
  keepForMs: number;
  /** Default: nothing outlives the process. */
  keeper?: IncidentKeeper;
  past?: IncidentsPast;
  /** Whether it was tried to get a value of this channel since the hub, or its source, is there. */
  wasTried?: (channel: string) => boolean;
}

/** How a channel stands, as this room hears of it. */
export interface ChannelStanding {
  readonly channel: string;
  readonly standing: "fresh" | "stale" | "retired";
  /** Whether its values are published rather than polled. */
  readonly isPublished: boolean;
  readonly why?: string;
  /** As {@linkcode Beginning.sharedMs}. */
  readonly sharedMs?: number;
}

/**
 * What failed: told of breakers and of values, it keeps the journal and how each channel stood, and
 * has the hooks told. What lasts when the hub stops, or reloads, goes on afterwards.
 */
export class Incidents implements AsyncDisposable {
  readonly #options: IncidentsOptions;
  readonly #journal: IncidentJournal;
  readonly #standings: StandingLog;
  readonly #hooks: Hooks;
  /** What an earlier life of the hub owed the hooks, until they are first put into force. */
  #owed: IncidentsPast["hooks"] | undefined;
  /** What is put back is kept already. */
  #isRestoring = false;
  /** Channels that are stale as they were not polled yet, and since when. */
  readonly #untried = new Map<string, { sinceMs: number; change: ChannelStanding }>();

  constructor(options: IncidentsOptions) {
    const { clock, keepForMs, keeper, past } = options;
    this.#options = options;
    this.#owed = past?.hooks;
    this.#journal = new IncidentJournal({
      keepForMs,
      onChanged: (incident) => {
        if (!this.#isRestoring) keeper?.incident(incident.id, incident);
      },
      onForgotten: ({ id }) => keeper?.incident(id, undefined),
    });
    this.#standings = new StandingLog({
      keepForMs,
      onAdded: (entry) => {
        if (!this.#isRestoring) keeper?.standing(entry, true);
      },
      onForgotten: (entry) => keeper?.standing(entry, false),
    });
    this.#hooks = new Hooks({
      clock,
      ...(keeper ? { keeper } : {}),
      ...(options.isCaller ? { isCaller: options.isCaller } : {}),
      proxyEnvironment: options.proxyEnvironment,
    });
    if (past) this.#restore(past);
  }

  /** Puts these hooks into force. */
  applyHooks(plans: readonly HookPlan[]): void {
    this.#hooks.apply(plans, this.#journal.open(), this.#owed);
    this.#owed = undefined; // from now on the hooks themselves know
  }

  /** These are configured: what lasts of others is over, and nobody is told that it is well again. */
  configured(names: { channels: readonly string[]; backends: readonly string[] }): void {
    const now = this.#now();
    for (const incident of this.#journal.open()) {
      const { channel, backend } = incident;
      const isThere = channel === undefined
        ? backend === undefined || names.backends.includes(backend)
        : names.channels.includes(channel);
      if (isThere) continue;
      this.#journal.end(incident, now);
      this.#hooks.gone(incident);
    }
  }

  /** A backend's breaker opened, or opened again. */
  backendDown(backend: string, why: Beginning): void {
    this.#begin({ kind: "backend_down", backend }, why, this.#now());
  }

  /** It closed. */
  backendUp(backend: string): void {
    this.#end({ kind: "backend_down", backend });
  }

  /** A channel's value stands otherwise than before. */
  channelStands(change: ChannelStanding): void {
    const { channel, standing } = change;
    const now = this.#now();
    this.#untried.delete(channel);
    this.#standings.add({
      channel,
      atMs: now,
      standing: standing === "retired" ? "unknown" : standing,
    });
    if (standing === "fresh") {
      for (const kind of ["source_stale", "publisher_silent"] as const) {
        this.#end({ kind, channel });
      }
      return;
    }
    if (standing === "retired") return;
    const { wasTried = () => true } = this.#options;
    if (wasTried(channel)) this.#beginStale(change, now);
    else this.#untried.set(channel, { sinceMs: now, change });
  }

  find(query: IncidentQuery): IncidentReport[] {
    return this.#journal.find(query, this.#now());
  }

  /** How these channels stood for so long until now; with `steps`, in so many of them as well. */
  uptime(channels: readonly string[], forMs: number, steps = 0): Record<string, Uptime> {
    const toMs = this.#now();
    const span = { fromMs: toMs - forMs, toMs };
    return Object.fromEntries(channels.map((channel) => {
      const whole = this.#standings.uptime(channel, span);
      if (steps === 0) return [channel, whole];
      return [channel, {
        ...whole,
        steps: this.#standings.uptimeSteps(channel, { ...span, steps }),
      }];
    }));
  }

  /** Channels of which it is known how they stood. */
  knownChannels(): string[] {
    return this.#standings.channels();
  }

  /** How many last, by kind. */
  openCounts(): Partial<Record<Incident["kind"], number>> {
    const counts: Partial<Record<Incident["kind"], number>> = {};
    for (const { kind } of this.#journal.open()) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  }

  hookReports(): Record<string, HookReport> {
    return this.#hooks.reports();
  }

  /** Gives the keeper everything there is, for a store that begins anew. */
  keepAll(keeper: IncidentKeeper): void {
    for (const incident of this.#journal.all()) keeper.incident(incident.id, incident);
    for (const entry of this.#standings.all()) keeper.standing(entry, true);
    keeper.alive({ aliveMs: this.#now() });
    for (const [hook, { told, waiting }] of this.#hooks.past()) {
      for (const record of told) keeper.told(hook, record);
      for (const message of waiting) keeper.added(hook, message);
    }
  }

  /** Gives signs of life and looks after what lasts, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, keeper } = this.#options;
    let prunedMs = clock.now();
    while (!signal.aborted) {
      keeper?.alive({ aliveMs: this.#now() });
      this.#lookAtUntried();
      if (clock.now() - prunedMs >= PRUNE_EVERY_MS) {
        prunedMs = clock.now();
        this.#journal.prune(this.#now());
        this.#standings.prune(this.#now());
      }
      await clock.sleep(SIGN_EVERY_MS, { signal }).catch(() => {});
    }
  }

  /** Stops calling hooks; what lasts goes on lasting. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.keeper?.alive({ aliveMs: this.#now() });
    await this.#hooks[Symbol.asyncDispose]();
  }

  #restore({ incidents, standings, ended }: IncidentsPast): void {
    this.#isRestoring = true;
    for (const incident of [...incidents].sort((a, b) => a.startedMs - b.startedMs)) {
      this.#journal.add(incident);
    }
    for (const entry of [...standings].sort((a, b) => a.atMs - b.atMs)) this.#standings.add(entry);
    this.#isRestoring = false;
    if (ended === undefined) return;
    this.#standings.addUnknown(ended.sign.aliveMs);
    this.#journal.add(hubDown(ended.sign, ended.how, this.#now()));
  }

  #lookAtUntried(): void {
    const { wasTried = () => true } = this.#options;
    for (const [channel, { sinceMs, change }] of [...this.#untried]) {
      if (!wasTried(channel)) continue;
      this.#untried.delete(channel);
      this.#beginStale(change, sinceMs);
    }
  }

  #beginStale(
    { channel, isPublished, why = "its value is an old one", sharedMs }: ChannelStanding,
    now: number,
  ) {
    const kind = isPublished ? "publisher_silent" : "source_stale";
    // One that lasts since an earlier life of the hub has the better reason.
    if (this.#journal.ongoing({ kind, channel })) return;
    const shared = sharedMs === undefined ? {} : { sharedMs };
    this.#begin({ kind, channel }, { cause: why, ...shared }, now);
  }

  #begin(subject: IncidentSubject, why: Beginning, now: number): void {
    const incident = this.#journal.begin(subject, why, now);
    if (incident) this.#hooks.began(incident);
  }

  #end(subject: IncidentSubject): void {
    const incident = this.#journal.end(subject, this.#now());
    if (incident) this.#hooks.ended(incident);
  }

  #now(): number {
    return this.#options.clock.unixMs();
  }
}
