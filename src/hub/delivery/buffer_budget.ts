import type { Transport } from "./transport.ts";

/** A client whose transport holds bytes. */
export interface BufferHolder {
  /** Milliseconds for which it has taken nothing although something waits for it; looks again. */
  stalledForMs(now: number): number;
  /** Bytes its transport held at the last look. */
  readonly heldBytes: number;
  /** It was closed; what its transport holds is held until that is gone. */
  readonly hasEnded: boolean;
  /** Ends it for the room that it takes; its connection must be gone soon after. */
  evict(why: string): void;
}

export interface BufferBudgetOptions {
  /** Most bytes that all transports may hold together. */
  maxBytes: number;
  /** All clients there are. */
  holders: () => Iterable<BufferHolder>;
}

/**
 * A frame longer than this is a large one, in bytes. Every transport makes a copy of its own of
 * what it is handed, so large frames go to few clients at a time: to the next one when another has
 * taken its own. Until then the frame waits in the outbox, where all clients share it.
 */
export const LARGE_FRAME_BYTES = 1024 * 1024;

/**
 * The large frames' share of the budget. When it is full the next client waits for a place; one
 * such frame is always let through, however large it is.
 */
export const LARGE_FRAMES_SHARE = 1 / 8;

/** A client that has taken nothing for this long gives up its room to others, in milliseconds. */
export const EVICTED_AFTER_MS = 2000;

/**
 * The sweep that takes back time in which this process stood still comes once a second. If the last
 * one was longer ago than this, in milliseconds, no client's time can be trusted.
 */
const SWEPT_WITHIN_MS = 2500;

/** Between two counts of what all transports hold, in milliseconds: a count looks at each client. */
const RECOUNT_EVERY_MS = 20;

/** What is known of a transport to which a large frame was handed. */
interface LargeHolder {
  readonly holder: BufferHolder;
  heldBytes: number;
}

/**
 * Bounds what the transports of all clients hold together: bytes handed over and not taken by the
 * operating system. What does not fit waits in the outboxes; where it waits because of clients that
 * take nothing, the slowest of them go first.
 */
export class BufferBudget {
  readonly #options: BufferBudgetOptions;
  readonly #large = new Map<Transport, LargeHolder>();
  /** What the transports of closed clients hold. */
  readonly #closing = new Map<Transport, number>();
  /** Transports of clients that were ended for the room they took, and are not gone yet. */
  readonly #leaving = new Map<BufferHolder, number>();
  #totalBytes = 0;
  #countedAt = -Infinity;
  #sweptAt = -Infinity;

  constructor(options: BufferBudgetOptions) {
    this.#options = options;
  }

  /** A sweep has looked at everybody. */
  swept(now: number): void {
    this.#sweptAt = now;
  }

  /** A transport holds so many bytes; it held `before` when it was last looked at. */
  looked(transport: Transport, before: number, heldBytes: number): void {
    this.#totalBytes += heldBytes - before;
    if (before < LARGE_FRAME_BYTES) return;
    const large = this.#large.get(transport);
    if (large === undefined) return;
    if (heldBytes === 0) this.#large.delete(transport);
    else large.heldBytes = heldBytes;
  }

  /** A transport is handed so many bytes. */
  handed(transport: Transport, bytes: number, holder: BufferHolder): void {
    this.#totalBytes += bytes;
    if (bytes > LARGE_FRAME_BYTES) this.#large.set(transport, { holder, heldBytes: bytes });
  }

  /** A client is closed; its transport holds so much until it is gone. */
  closed(transport: Transport, heldBytes: number): void {
    if (heldBytes > 0) this.#closing.set(transport, heldBytes);
  }

  /** A transport is gone, and with it what it held. */
  gone(transport: Transport, heldBytes: number, holder: BufferHolder): void {
    this.#totalBytes -= heldBytes;
    this.#large.delete(transport);
    this.#closing.delete(transport);
    this.#leaving.delete(holder);
  }

  /** Whether a client may be handed so many bytes just now. */
  hasRoom(bytes: number, now: number): boolean {
    if (this.#totalBytes > 0 && this.#totalBytes + bytes > this.#options.maxBytes) {
      if (!this.#makeRoom(bytes, now)) return false;
    }
    return bytes <= LARGE_FRAME_BYTES || this.#hasRoomForLarge(bytes, now);
  }

  #makeRoom(bytes: number, now: number): boolean {
    const { maxBytes, holders } = this.#options;
    if (now - this.#countedAt < RECOUNT_EVERY_MS) return false;
    this.#countedAt = now;
    const stalled: Stalled[] = [];
    let heldBytes = 0;
    for (const holder of holders()) {
      const forMs = holder.stalledForMs(now);
      heldBytes += holder.heldBytes;
      if (this.#takesNothing(forMs, now)) stalled.push({ holder, forMs });
    }
    for (const bytes of this.#closing.values()) heldBytes += bytes;
    this.#totalBytes = heldBytes; // a mistake in the running sum does not last
    const overBytes = () => this.#totalBytes - this.#leavingBytes + bytes - maxBytes;
    for (const each of stalled.toSorted((a, b) => b.forMs - a.forMs)) {
      if (overBytes() <= 0) break;
      this.#evict(each);
    }
    return this.#totalBytes === 0 || this.#totalBytes + bytes <= maxBytes;
  }

  #hasRoomForLarge(bytes: number, now: number): boolean {
    if (this.#fitsAmongLarge(bytes)) return true;
    let slowest: Stalled | undefined;
    for (const { holder } of [...this.#large.values()]) {
      if (holder.hasEnded) continue;
      const forMs = holder.stalledForMs(now); // which forgets it here if it has taken all
      if (this.#takesNothing(forMs, now) && forMs > (slowest?.forMs ?? 0)) {
        slowest = { holder, forMs };
      }
    }
    if (this.#fitsAmongLarge(bytes)) return true;
    // One at a time: its room is there in a moment, and no other need go for it.
    if (slowest !== undefined && this.#leaving.size === 0) this.#evict(slowest);
    return false;
  }

  #takesNothing(forMs: number, now: number): boolean {
    return forMs >= EVICTED_AFTER_MS && now - this.#sweptAt < SWEPT_WITHIN_MS;
  }

  #fitsAmongLarge(bytes: number): boolean {
    let heldBytes = 0;
    for (const large of this.#large.values()) heldBytes += large.heldBytes;
    return heldBytes === 0 || heldBytes + bytes <= this.#options.maxBytes * LARGE_FRAMES_SHARE;
  }

  #evict({ holder, forMs }: Stalled): void {
    const { maxBytes } = this.#options;
    this.#leaving.set(holder, holder.heldBytes);
    holder.evict(
      `it took nothing for ${Math.round(forMs)} ms while others waited for the room that it took ` +
        `(hub.max_buffered_bytes: ${maxBytes})`,
    );
  }

  get #leavingBytes(): number {
    let bytes = 0;
    for (const each of this.#leaving.values()) bytes += each;
    return bytes;
  }
}

/** A client that takes nothing, and for how long. */
interface Stalled {
  readonly holder: BufferHolder;
  readonly forMs: number;
}
