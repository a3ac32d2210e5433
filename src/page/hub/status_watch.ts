/// <reference lib="dom" />
import { type AskedHub, askFor } from "./ask_hub.ts";
import type { BackendReport } from "./backends.ts";
import type { Unit } from "../format.ts";
import type { ClusterStanding } from "./cluster.ts";
import { RepeatedLook } from "./repeated_look.ts";

/** What the hub's `/status` says of a channel. */
export interface ShownSource {
  readonly last_error: string | null;
  readonly backend?: string;
  readonly title?: string;
  readonly group?: string;
  readonly unit?: Unit;
  readonly order?: number;
}

/** As much of `/status` as the page shows. */
export interface ShownStatus {
  readonly version: string;
  readonly uptime_seconds: number;
  readonly backends: Readonly<Record<string, BackendReport>>;
  readonly sources: Readonly<Record<string, ShownSource>>;
  /** Absent for a hub by itself. */
  readonly cluster?: ClusterStanding;
}

export interface StatusWatchOptions extends AskedHub {
  /** Whether it is of use to ask: the hub is there, and somebody looks. */
  wanted: () => boolean;
  onReport: (report: ShownStatus) => void;
}

/** Time between two looks, and the least between two when something happened, in milliseconds. */
const EVERY_MS = 5000;
const SOON_MS = 300;

/** The most one look may take, in milliseconds. */
const TIMEOUT_MS = 4000;

/**
 * Looks at the hub's `/status` now and then; one look at a time. A look that fails is left out: the
 * connection tells of a hub that is gone, and this only what that does not tell.
 */
export class StatusWatch {
  readonly #looks: RepeatedLook;

  constructor(options: StatusWatchOptions) {
    this.#looks = new RepeatedLook({
      everyMs: EVERY_MS,
      soonMs: SOON_MS,
      wanted: options.wanted,
      look: async () => {
        const report = await askFor<ShownStatus>(options, "status", { timeoutMs: TIMEOUT_MS });
        if (report !== undefined) options.onReport(report);
      },
    });
  }

  /** Something has changed: looks soon, once for all that happens meanwhile. */
  soon(): void {
    this.#looks.soon();
  }
}
