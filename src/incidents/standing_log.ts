/** How a channel's value stood, or that it is not known. */
export type Freshness = "fresh" | "stale" | "unknown";

/** From this moment on a channel stood like this. */
export interface StandingEntry {
  readonly channel: string;
  /** Unix milliseconds. */
  readonly atMs: number;
  readonly standing: Freshness;
}

/**
 * Changes kept for one channel, some 100 KB. When full, the oldest goes: of the time before the one
 * that follows it, nothing is known any more.
 */
export const MAX_ENTRIES = 2000;

/** How long a channel stood how within a time. */
export interface Uptime {
  readonly fresh_seconds: number;
  readonly stale_seconds: number;
  readonly unknown_seconds: number;
  /** Of the time that is known; null if none is. */
  readonly fresh_ratio: number | null;
  /** The same in steps, the oldest first; only where they were asked for. */
  readonly steps?: readonly UptimeStep[];
}

/** Seconds of one step of a time. */
export type UptimeStep = readonly [fresh: number, stale: number, unknown: number];

export interface StandingLogOptions {
  /** How long it is kept, in milliseconds. */
  keepForMs: number;
  onAdded?: (entry: StandingEntry) => void;
  onForgotten?: (entry: StandingEntry) => void;
}

/**
 * Since when each channel has stood how. Pure: it owns no clock. Time in which the hub was off, and
 * time before it knew of a channel, is unknown and never fresh.
 */
export class StandingLog {
  readonly #options: StandingLogOptions;
  readonly #entries = new Map<string, StandingEntry[]>();

  constructor(options: StandingLogOptions) {
    this.#options = options;
  }

  channels(): string[] {
    return [...this.#entries.keys()];
  }

  /** A channel stands like this from now on; nothing happens if it did already. */
  add(entry: StandingEntry): void {
    const { channel, standing } = entry;
    const entries = this.#entries.get(channel) ?? [];
    const last = entries.at(-1);
    if ((last?.standing ?? "unknown") === standing) return;
    // A clock that was set back must not make time run backwards.
    const atMs = Math.max(entry.atMs, (last?.atMs ?? -Infinity) + 1);
    entries.push({ channel, standing, atMs });
    this.#entries.set(channel, entries);
    this.#options.onAdded?.({ channel, standing, atMs });
    if (entries.length > MAX_ENTRIES) this.#forgetFirst(entries);
  }

  /** From this moment on it is not known how channels stood. */
  addUnknown(atMs: number): void {
    for (const channel of this.channels()) this.add({ channel, atMs, standing: "unknown" });
  }

  /** Forgets what was over long ago. */
  prune(now: number): void {
    const before = now - this.#options.keepForMs;
    for (const [channel, entries] of this.#entries) {
      // The first is needed as long as the second is not old: it says how the time between began.
      while ((entries[1]?.atMs ?? Infinity) <= before) this.#forgetFirst(entries);
      const [only] = entries;
      if (entries.length > 1 || only === undefined) continue;
      if (only.standing !== "unknown" || only.atMs > before) continue;
      this.#forgetFirst(entries);
      this.#entries.delete(channel);
    }
  }

  /** How a channel stood within a time, in unix milliseconds. */
  uptime(channel: string, { fromMs, toMs }: { fromMs: number; toMs: number }): Uptime {
    const sums: Record<Freshness, number> = { fresh: 0, stale: 0, unknown: 0 };
    let standing: Freshness = "unknown";
    let at = fromMs;
    for (const entry of this.#entries.get(channel) ?? []) {
      const until = Math.min(Math.max(entry.atMs, fromMs), toMs);
      sums[standing] += Math.max(0, until - at);
      at = Math.max(at, until);
      standing = entry.standing;
    }
    sums[standing] += Math.max(0, toMs - at);
    const known = sums.fresh + sums.stale;
    return {
      fresh_seconds: seconds(sums.fresh),
      stale_seconds: seconds(sums.stale),
      unknown_seconds: seconds(sums.unknown),
      fresh_ratio: known === 0 ? null : Math.round(sums.fresh / known * 1e6) / 1e6,
    };
  }

  /** The same, in so many steps of equal length, the oldest first. One pass over what is kept. */
  uptimeSteps(
    channel: string,
    { fromMs, toMs, steps }: { fromMs: number; toMs: number; steps: number },
  ): UptimeStep[] {
    const stepMs = (toMs - fromMs) / steps;
    const sums = Array.from({ length: steps }, () => ({ fresh: 0, stale: 0, unknown: 0 }));
    let standing: StandingEntry["standing"] = "unknown";
    let at = fromMs;
    const goOnUntil = (until: number) => {
      for (let step = Math.floor((at - fromMs) / stepMs); at < until && step < steps; step++) {
        const end = Math.min(until, step === steps - 1 ? toMs : fromMs + (step + 1) * stepMs);
        const sum = sums[step];
        if (sum) sum[standing] += Math.max(0, end - at);
        at = Math.max(at, end);
      }
    };
    for (const entry of this.#entries.get(channel) ?? []) {
      if (entry.atMs > fromMs) goOnUntil(Math.min(entry.atMs, toMs));
      standing = entry.standing;
    }
    goOnUntil(toMs);
    return sums.map(({ fresh, stale, unknown }) =>
      [seconds(fresh), seconds(stale), seconds(unknown)] as const
    );
  }

  /** All of it, for another life of the hub. */
  all(): StandingEntry[] {
    return [...this.#entries.values()].flat();
  }

  #forgetFirst(entries: StandingEntry[]): void {
    const first = entries.shift();
    if (first) this.#options.onForgotten?.(first);
  }
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
