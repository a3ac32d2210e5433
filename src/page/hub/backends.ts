import type { ErrorEvent } from "../../protocol/error_event.ts";
import { formatDuration } from "../format.ts";

/** A backend as `/status` tells of it. */
export interface BackendReport {
  readonly state: "closed" | "open" | "half_open";
  readonly consecutive_failures: number;
  readonly retry_after_ms: number;
  readonly last_error: string | null;
}

export interface BackendState {
  readonly name: string;
  readonly state: BackendReport["state"];
  readonly failures: number;
  /** When the next trial is due, in monotonic milliseconds; only while open. */
  readonly retryAt?: number;
  readonly lastError?: string;
}

/** Most backends remembered; further ones are not shown. */
const MAX_BACKENDS = 200;

/**
 * What is known of the backends: the hub's report, and what its errors told since. A pure model;
 * `now` is in monotonic milliseconds.
 */
export class Backends {
  #states = new Map<string, BackendState>();
  /** Which backend feeds a channel, as far as errors told. */
  readonly #feeds = new Map<string, string>();

  /** In the order of the hub's configuration. */
  get list(): readonly BackendState[] {
    return [...this.#states.values()];
  }

  /**
   * The backend of a channel, if anything was said of it.
   *
   * @param told Its name as the hub's report has it.
   */
  behind(channel: string, told?: string): BackendState | undefined {
    const known = told ?? this.#feeds.get(channel);
    // With one backend there is nothing to find out.
    if (known === undefined) return this.#states.size === 1 ? this.list[0] : undefined;
    return this.#states.get(known);
  }

  /** Takes over a report; backends it does not name are gone. */
  report(reports: Readonly<Record<string, BackendReport>>, now: number): void {
    this.#states = new Map(
      Object.entries(reports).slice(0, MAX_BACKENDS).map(([name, report]) => {
        const { state, consecutive_failures: failures, retry_after_ms, last_error } = report;
        return [name, {
          name,
          state,
          failures,
          ...(state === "open" ? { retryAt: now + retry_after_ms } : {}),
          ...(last_error === null ? {} : { lastError: last_error }),
        }];
      }),
    );
  }

  /** Learns from an error; true if a breaker opened or closed. */
  hear({ code, data }: ErrorEvent, now: number): boolean {
    const { backend: name, channel, retry_after_ms } = data ?? {};
    if (typeof name !== "string") return false;
    if (typeof channel === "string") this.#feeds.set(channel, name);
    const before = this.#states.get(name);
    if (code === "CIRCUIT_OPEN") {
      const waitMs = typeof retry_after_ms === "number" ? retry_after_ms : 0;
      this.#put({ failures: 0, ...before, name, state: "open", retryAt: now + waitMs });
      return true;
    }
    if (code === "RPC_RECOVERED") {
      this.#put({ name, state: "closed", failures: 0 });
      return true;
    }
    return false;
  }

  #put(state: BackendState): void {
    if (this.#states.has(state.name) || this.#states.size < MAX_BACKENDS) {
      this.#states.set(state.name, state);
    }
  }
}

/** When a backend is asked again, in words; `undefined` if it is asked as usual. */
export function nextTry({ state, retryAt }: BackendState, now: number): string | undefined {
  switch (state) {
    case "closed":
      return undefined;
    case "half_open":
      return "being tried now";
    case "open": {
      const leftSeconds = Math.ceil(((retryAt ?? now) - now) / 1000);
      return leftSeconds > 0
        ? `next try in ${formatDuration(leftSeconds * 1000)}`
        : "next try is due";
    }
  }
}
