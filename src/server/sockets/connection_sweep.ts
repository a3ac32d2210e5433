import type { Slice } from "../../platform/libc.ts";
import type { Clock } from "../../resilience/clock.ts";
import type { Descriptors } from "../../telemetry/process_figures.ts";
import { type Log, logOf } from "../../telemetry/log.ts";
import type {
  ClientHold,
  ConnectionTable,
  ConnectionVerdict,
  SeenConnection,
} from "./connection_table.ts";
import type { DescriptorReserve } from "./descriptor_reserve.ts";

/** Looks at the sockets themselves; {@linkcode SocketGuard} does. */
export interface SweepableSockets {
  /**
   * Shows each connection of a slice of all sockets, and does with it as it is told. One that is
   * told to be held is not shown again until that is over.
   */
  sweep(
    visit: (key: string, seen: SeenConnection) => ConnectionVerdict | ClientHold,
    slice: Slice,
  ): void;
  /** Ends these connections at once; how many there were. */
  abortAll(keys: ReadonlySet<string>): number;
  descriptors(): Descriptors;
}

export interface ConnectionSweepOptions {
  clock: Clock;
  sockets: SweepableSockets;
  table: ConnectionTable;
  reserve: DescriptorReserve;
  requestTimeoutMs: number;
  /** Connections that are no client's; more of them, and those that nobody uses for longest go. */
  maxPending: number;
}

/** Why the hub ended a connection that was no client's. */
export type PendingEnd = typeof PENDING_ENDS[number];

const PENDING_ENDS = ["timeout", "full", "descriptors"] as const;

/** Time between two looks, in milliseconds; each is at a slice of all sockets. */
const LOOK_MS = { least: 100, most: 500 } as const;
/**
 * A round over all sockets takes this part of the timeout, in at most so many slices of so many
 * connections: with ten thousand of them a slice costs a millisecond or two, and the fewer there are
 * the less often somebody has to look.
 */
const ROUND_PART = 1 / 4;
const MAX_SLICES = 25;
const SLICE_CONNECTIONS = 200;
/**
 * Time between two counts of all descriptors, in milliseconds, and where there are plenty: each
 * takes a millisecond for a thousand.
 */
const COUNT_EVERY_MS = 500;
const COUNT_SELDOM_MS = 5000;

/**
 * Ends the connections that never become a request, or that keep none: idle ones, half a header,
 * half a handshake. Where descriptors run short, those that nobody uses for longest go first.
 */
export class ConnectionSweep {
  readonly #options: ConnectionSweepOptions;
  readonly #log: Log = logOf("server");
  readonly #ended = new Map<PendingEnd, number>(PENDING_ENDS.map((why) => [why, 0]));
  #countedAt = -Infinity;

  constructor(options: ConnectionSweepOptions) {
    this.#options = options;
  }

  /** Connections that were no client's and that the hub ended, by why. */
  ended(): ReadonlyMap<PendingEnd, number> {
    return this.#ended;
  }

  /** Looks until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    try {
      for (;;) {
        const { slices, everyMs } = this.#pace();
        for (let nth = 0; nth < slices; nth += 1) {
          await clock.sleep(everyMs, { signal, together: true });
          this.#look({ nth, of: slices });
          this.#countDescriptors();
        }
        this.#endRound();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Of the round that begins. */
  #pace(): { slices: number; everyMs: number } {
    const { table, reserve, requestTimeoutMs } = this.#options;
    const roundMs = requestTimeoutMs * ROUND_PART;
    const most = Math.min(MAX_SLICES, Math.max(1, Math.floor(roundMs / LOOK_MS.least)));
    const wanted = Math.ceil(Math.max(table.size / SLICE_CONNECTIONS, roundMs / LOOK_MS.most));
    const slices = reserve.hasPlenty ? Math.min(most, wanted) : most;
    return { slices, everyMs: Math.min(LOOK_MS.most, Math.max(1, roundMs / slices)) };
  }

  #endRound(): void {
    const { table, maxPending } = this.#options;
    table.endOfRound();
    if (table.pending > maxPending) this.#relieve(table.pending - maxPending, "full");
  }

  /** Ends so many of the connections that are no client's, if there are as many. */
  #relieve(count: number, why: PendingEnd): void {
    const { sockets, table } = this.#options;
    const keys = table.leastMissed(count);
    const ended = keys.size === 0 ? 0 : sockets.abortAll(keys);
    if (ended === 0) return;
    this.#count(why, ended);
    this.#log.warning("connections.ended", { ended, why, effect: "no client was on them" });
  }

  #look(slice: Slice): void {
    const { sockets, table } = this.#options;
    let closed = 0;
    sockets.sweep((key, seen) => {
      const verdict = table.seen(key, seen);
      if (verdict === "close") closed += 1;
      return verdict === "keep" ? table.holdOf(key) ?? verdict : verdict;
    }, slice);
    if (closed > 0) {
      this.#count("timeout", closed);
      this.#log.debug("connections.timed_out", { ended: closed });
    }
  }

  #countDescriptors(): void {
    const { clock, sockets, reserve } = this.#options;
    const now = clock.now();
    const everyMs = reserve.hasPlenty ? COUNT_SELDOM_MS : COUNT_EVERY_MS;
    if (now - this.#countedAt < everyMs) return;
    this.#countedAt = now;
    const missing = reserve.look(sockets.descriptors());
    if (missing === 0) return;
    // So that those are seen, too, that have only just come.
    this.#look({ nth: 0, of: 1 });
    this.#relieve(missing, "descriptors");
  }

  #count(why: PendingEnd, ended: number): void {
    this.#ended.set(why, (this.#ended.get(why) ?? 0) + ended);
  }
}
