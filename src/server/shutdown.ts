import type { Hub } from "../hub/hub.ts";
import type { Clock } from "../resilience/clock.ts";
import { withDeadline } from "../resilience/with_deadline.ts";

export interface DrainOptions {
  clock: Clock;
  hub: Hub;
  /** What waits gets this long to be taken, in milliseconds. */
  drainMs: number;
  /** Clients are told to come back spread over this time, in milliseconds. */
  reconnectWithinMs: number;
  /** The connections there are: opening, open and closing. */
  connections: { readonly size: number; allGone(): Promise<void> };
}

/** How the clients were seen off. */
export interface Drained {
  readonly clients: number;
  /** Closed before they had taken all that waited for them. */
  readonly unflushed: number;
  readonly isAllGone: boolean;
}

/** How often flushed clients are looked for, in milliseconds. */
const LOOK_EVERY_MS = 10;

/** How long opening and closing handshakes get, in milliseconds. */
const HANDSHAKES_MS = 1000;

/**
 * Sees the clients off: each is told when to come back, gets what waits for it and is closed as
 * soon as it has taken that; at the deadline the rest is closed as they are. A client that takes
 * nothing cannot hold this up.
 */
export async function drain(options: DrainOptions): Promise<Drained> {
  const { clock, hub, drainMs, reconnectWithinMs, connections } = options;
  const startedAt = clock.now();
  const clients = hub.size;
  hub.announceShutdown(drainMs, reconnectWithinMs);
  let left = clients;
  // Clients that were let in before the door closed may still be opening: they are to be told, too.
  const isOver = (elapsedMs: number) =>
    left === 0 && (connections.size === 0 || elapsedMs >= HANDSHAKES_MS);
  for (let elapsedMs = 0; !isOver(elapsedMs) && elapsedMs < drainMs;) {
    // First the wait: what was sent in this turn is counted as taken only on a later one.
    await clock.sleep(LOOK_EVERY_MS);
    left = hub.closeFlushed();
    elapsedMs = clock.now() - startedAt;
  }
  const unflushed = left;
  if (left > 0) hub.closeFlushed({ force: true });
  const { isLate } = await withDeadline(clock, HANDSHAKES_MS, () => connections.allGone());
  return { clients, unflushed, isAllGone: !isLate };
}
