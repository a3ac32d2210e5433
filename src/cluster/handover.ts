import type { Clock } from "../resilience/clock.ts";
import type { HubPresence } from "./presence.ts";

export interface HandoverOptions {
  clock: Clock;
  /** This hub, among the others. */
  hub: string;
  /** Whether a backend can be reached from here. */
  probe: (backend: string) => Promise<boolean>;
  /** The states of the backends while this hub polls them; undefined while it does not. */
  backends: () => Readonly<Record<string, unknown>> | undefined;
  /** Another hub takes the lead better; this one does not for so long, in milliseconds. */
  resign: (to: string, options: { why: string; forMs: number }) => void;
  /** Lets another hub take the lead first, for so long in milliseconds. */
  standAside: (forMs: number) => void;
}

/** How often a hub tries what its leader does not reach, in milliseconds. */
const PROBE_EVERY_MS = 10_000;

/** What was reached so long ago, in milliseconds, may not be any more. */
const REACHED_FOR_MS = 25_000;

/** The others let the one that was named go first for so long, in milliseconds. */
const FIRST_MS = 3000;

/**
 * A hub that gave the lead away does not take it for so long, in milliseconds: twice as long each
 * time, so that two hubs which reach a backend by turns do not pass the lead to and fro.
 */
const ASIDE_MS = 60_000;
const MAX_ASIDE_MS = 600_000;

/** After so long without one, handing over costs as little as the first time, in milliseconds. */
const FORGIVEN_AFTER_MS = 3_600_000;

/**
 * The lead goes to where the backends are reached. Hubs that follow try what their leader has given
 * up, and say what they reach; a leader that hears of one which reaches all it does and more makes room
 * for it. A hub that reaches other backends, but not all of the leader's, is no gain for anybody.
 */
export class Handover {
  readonly #options: HandoverOptions;
  readonly #reachedAt = new Map<string, number>();
  #probedAt = -Infinity;
  #isProbing = false;
  #handedOverAt = -Infinity;
  #asideMs = ASIDE_MS;
  #asideUntil = -Infinity;

  constructor(options: HandoverOptions) {
    this.#options = options;
  }

  /** Backends this hub has lately reached, while its leader lacks some. */
  get reaches(): string[] {
    const now = this.#options.clock.now();
    if (now < this.#asideUntil) return [];
    return [...this.#reachedAt]
      .flatMap(([backend, at]) => now - at < REACHED_FOR_MS ? backend : []);
  }

  /** Another hub has said how it stands. */
  heard({ hub, role, backends, reaches = [], hands_over_to: to }: HubPresence): void {
    const { hub: self, standAside, backends: own } = this.#options;
    if (to !== undefined && to !== self) standAside(FIRST_MS);
    if (role === "leader" && backends !== undefined) void this.#follow(backends);
    const mine = own();
    if (mine !== undefined && reaches.length > 0) this.#consider(hub, reaches, mine);
  }

  #consider(hub: string, reaches: readonly string[], mine: Readonly<Record<string, unknown>>) {
    const { clock, resign } = this.#options;
    const out = Object.keys(mine).filter((backend) => isOut(mine[backend]));
    const gained = out.filter((backend) => reaches.includes(backend));
    const isWorse = Object.keys(mine)
      .some((backend) => !out.includes(backend) && !reaches.includes(backend));
    if (gained.length === 0 || isWorse) return;
    const now = clock.now();
    const isForgiven = now - this.#handedOverAt > FORGIVEN_AFTER_MS;
    const forMs = isForgiven ? ASIDE_MS : this.#asideMs;
    this.#asideMs = Math.min(2 * forMs, MAX_ASIDE_MS);
    this.#handedOverAt = now;
    this.#asideUntil = now + forMs;
    this.#reachedAt.clear();
    resign(hub, { why: `another hub reaches ${gained.join(", ")}, and this one does not`, forMs });
  }

  async #follow(backends: Readonly<Record<string, unknown>>): Promise<void> {
    const { clock, probe } = this.#options;
    const names = Object.keys(backends);
    if (!names.some((name) => isOut(backends[name]))) return this.#reachedAt.clear();
    const now = clock.now();
    if (this.#isProbing || now - this.#probedAt < PROBE_EVERY_MS) return;
    this.#isProbing = true;
    this.#probedAt = now;
    await Promise.all(names.map(async (name) => {
      if (await probe(name)) this.#reachedAt.set(name, clock.now());
      else this.#reachedAt.delete(name);
    }));
    this.#isProbing = false;
  }
}

/** Whether polls of it are given up for now, as `/status` says it. */
function isOut(report: unknown): boolean {
  const state = (report as { state?: unknown } | null | undefined)?.state;
  return state === "open" || state === "half_open";
}
