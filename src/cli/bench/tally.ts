import { LogHistogram } from "./histogram.ts";

/** What all clients of a load have counted; only what comes while measuring counts as delivered. */
export class LoadTally {
  /** Connections that are welcomed now. */
  connected = 0;
  /** Connections lost after their welcome. */
  lost = 0;
  /** Of those, the ones the hub closed because they were too slow. */
  slow = 0;
  reconnects = 0;
  /** Attempts to come back that failed. */
  refused = 0;
  notFrames = 0;
  deliveries = 0;
  bytes = 0;
  isMeasuring = false;
  readonly byType = new Map<string, number>();
  /** From ping to pong. */
  readonly roundTrip = new LogHistogram();
  /** How late this program's own timers fired: what it adds to every other figure. */
  readonly ownDelay = new LogHistogram();

  count(type: string, bytes: number): void {
    if (!this.isMeasuring) return;
    this.deliveries += 1;
    this.bytes += bytes;
    // A hub has few types; one that makes them up is not followed without end.
    if (this.byType.size < MAX_TYPES || this.byType.has(type)) {
      this.byType.set(type, (this.byType.get(type) ?? 0) + 1);
    }
  }
}

/** Types told apart. */
const MAX_TYPES = 256;
