import type { Clock } from "../../resilience/clock.ts";
import { type Log, logOf } from "../../telemetry/log.ts";
import { NO_PLACE, type NoPlace } from "./admission.ts";

/** Why somebody was not let in, as metrics and logs name it. */
export const REFUSAL_REASONS = [
  ...NO_PLACE,
  "bad_host",
  "host",
  "origin",
  "no_token",
  "wrong_token",
  "undecided_token",
] as const;

export type RefusalReason = NoPlace | typeof REFUSAL_REASONS[number];

export interface RefusalsOptions {
  clock: Clock;
  /** Ends the waits for what is told together. */
  signal: AbortSignal;
}

/** What is known of somebody who was refused. */
export interface Refused {
  readonly address: string;
  /** Never the query, in which a token may be. */
  readonly path: string;
}

/** After one line about a reason, the next one comes no sooner, in milliseconds. */
const WINDOW_MS = 60_000;

/** Different addresses counted in one window; beyond them the count says that there are more. */
const MAX_ADDRESSES = 1000;

/** A path is shown no longer than this, in characters. */
const MAX_PATH = 100;

/**
 * Counts those who were not let in, by reason, and logs them folded: the first one of a reason at
 * once, and what follows within a minute in one line at its end. However many knock, a reason is
 * never more than one line a minute.
 */
export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #log: Log = logOf("server");
  readonly #counts = new Map<RefusalReason, number>(REFUSAL_REASONS.map((why) => [why, 0]));
  readonly #windows = new Map<RefusalReason, { times: number; addresses: Set<string> }>();

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  /** How often somebody was not let in, by reason: from 0. */
  counts(): ReadonlyMap<RefusalReason, number> {
    return this.#counts;
  }

  /** Somebody was not let in. */
  add(reason: RefusalReason, { address, path }: Refused): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    const window = this.#windows.get(reason);
    if (window !== undefined) {
      window.times += 1;
      if (window.addresses.size < MAX_ADDRESSES) window.addresses.add(address);
      return;
    }
    this.#log.warning("client.refused", { reason, address, path: path.slice(0, MAX_PATH) });
    void this.#fold(reason);
  }

  /** Gathers what follows, and tells it, for as long as there is any. */
  async #fold(reason: RefusalReason): Promise<void> {
    const { clock, signal } = this.#options;
    try {
      for (;;) {
        const window = { times: 0, addresses: new Set<string>() };
        this.#windows.set(reason, window);
        await clock.sleep(WINDOW_MS, { signal });
        if (window.times === 0) break;
        this.#tell(reason, window);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
      const window = this.#windows.get(reason);
      if (window !== undefined && window.times > 0) this.#tell(reason, window);
    }
    this.#windows.delete(reason);
  }

  #tell(reason: RefusalReason, { times, addresses }: { times: number; addresses: Set<string> }) {
    const { size } = addresses;
    this.#log.warning("client.refused_more", {
      reason,
      times,
      addresses: size < MAX_ADDRESSES ? size : `${MAX_ADDRESSES} or more`,
      within_ms: WINDOW_MS,
    });
  }
}
