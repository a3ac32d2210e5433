import type { BufferBudget, BufferHolder } from "./buffer_budget.ts";
import type { Transport } from "./transport.ts";

/** Failed writes in a row after which a client counts as gone. */
export const MAX_WRITE_ERRORS = 3;

/**
 * A client that has taken all gets whatever comes within this time, up to the high water, in
 * milliseconds; then it has to take all of that first. So what waits for a client that takes
 * nothing waits in the outbox, where frames are shared and values replaced, and not in the runtime.
 */
export const BURST_MS = 100;

/**
 * After so many looks on later turns without progress a client has had the time to take something:
 * the first ones may come before the runtime has got to write what it was handed in a long turn.
 */
const LOOKS_UNTIL_IDLE = 3;

export interface WriteGateOptions {
  transport: Transport;
  /** No further frame is handed to a transport that holds this many bytes. */
  highWaterBytes: number;
  /** Monotonic milliseconds at which it begins, here and below. */
  now: number;
  /** Told when a write failed; for whom the budget counts what is handed over. */
  owner: WriteGateOwner;
  /** What all clients together may be handed. */
  budget: BufferBudget;
}

/** The client that the gate belongs to. */
export interface WriteGateOwner extends BufferHolder {
  /** A write failed; `isLast` once so many did in a row that there is no use in more. */
  onWriteError(isLast: boolean): void;
}

/**
 * The gate to one client: says whether there is room for more, lets it through, and tells for how
 * long the client has taken nothing although something waits for it.
 *
 * There is no event for "the peer took bytes": the signs are that the transport's buffered bytes
 * shrink between two looks, and, where they do not, that the peer acknowledged some. A look is a
 * call into the runtime, so there is one for each write. Bytes the operating system still holds
 * count as taken, which is why the hub bounds those too (see `src/platform`).
 */
export class WriteGate {
  readonly #transport: Transport;
  readonly #highWaterBytes: number;
  readonly #owner: WriteGateOwner;
  readonly #budget: BufferBudget;
  /**
   * Bytes buffered at the last look and characters let through since: in bytes that may be more,
   * and some of what the client takes then goes unnoticed until the next look.
   */
  #held = 0;
  /** In whole milliseconds, as below: a fraction would live in a place of its own in memory. */
  #progressAt: number;
  /** When the first frame was let through since the client had taken all. */
  #burstAt: number;
  #failuresInRow = 0;
  /** Looks on later turns since something was taken. */
  #idleLooks = 0;
  /** Bytes the peer had acknowledged when it was last found to take nothing. */
  #takenBytes: number | undefined;
  /** Closed or gone: what is held is not looked at any more. */
  #isClosed = false;
  #isGone = false;

  constructor(options: WriteGateOptions) {
    const { transport, highWaterBytes, now, owner, budget } = options;
    this.#transport = transport;
    this.#highWaterBytes = highWaterBytes;
    this.#owner = owner;
    this.#budget = budget;
    this.#progressAt = Math.floor(now);
    this.#burstAt = this.#progressAt - BURST_MS;
  }

  /** Bytes let through that the operating system has not taken yet. */
  get bufferedBytes(): number {
    return this.#transport.bufferedBytes;
  }

  /** Bytes held at the last look and let through since. */
  get heldBytes(): number {
    return this.#held;
  }

  /** Looks whether the client may be given `bytes` more just now. */
  hasRoom(bytes: number, now: number): boolean {
    const buffered = this.#look(now);
    const takesMore = buffered === 0 ||
      (now - this.#burstAt < BURST_MS && buffered < this.#highWaterBytes);
    return takesMore && this.#budget.hasRoom(bytes, now);
  }

  /**
   * Lets a text through, right after {@linkcode WriteGate.hasRoom}; false if that failed.
   *
   * @param seq What the client may resume from once it has this; undefined where it may not.
   */
  write(text: string, now: number, seq?: number): boolean {
    if (this.#held === 0) this.#burstAt = Math.floor(now);
    try {
      this.#transport.send(text, seq);
    } catch {
      this.#failuresInRow += 1;
      this.#owner.onWriteError(this.#failuresInRow >= MAX_WRITE_ERRORS);
      return false;
    }
    this.#failuresInRow = 0;
    this.#count(text.length);
    return true;
  }

  /** Lets a last text through, whether or not there is room; false if that failed. */
  writeLast(text: string): boolean {
    try {
      this.#transport.send(text);
      this.#count(text.length);
      return true;
    } catch {
      return false;
    }
  }

  /** Looks at the transport and says for how many milliseconds nothing was taken. */
  stalledForMs(now: number): number {
    // A closer look costs a few calls to the kernel: only for a client that has something to take.
    if (this.#look(now) > 0 && now > this.#progressAt) this.#lookCloser(now);
    return now - this.#progressAt;
  }

  /** Notes a look on a turn of its own, with nothing handed over before it. */
  lookOnLaterTurn(now: number): void {
    this.#look(now);
    this.#idleLooks += 1;
  }

  /**
   * Whether the client had the time to take something, on later turns than what it was handed, and
   * did not; does not look.
   */
  isIdle(now: number): boolean {
    return this.#idleLooks >= LOOKS_UNTIL_IDLE && now - this.#progressAt >= BURST_MS;
  }

  /** The last write failed. */
  get isFailing(): boolean {
    return this.#failuresInRow > 0;
  }

  /** Nothing more is let through; what was is held until the connection is gone. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#budget.closed(this.#transport, this.#held);
  }

  /** The connection is gone, and what it held. */
  gone(): void {
    this.#isClosed = true;
    if (this.#isGone) return;
    this.#isGone = true;
    this.#budget.gone(this.#transport, this.#held, this.#owner);
    this.#held = 0;
  }

  /** Takes back `ms` milliseconds in which this process itself stood still. */
  forgive(ms: number): void {
    this.#progressAt += Math.round(ms);
  }

  #look(now: number): number {
    if (this.#isClosed) return this.#held; // the runtime says 0 of a socket that is being closed
    const buffered = this.#transport.bufferedBytes;
    // Time taken back is not credit: who moved on just after a standstill has no more than others.
    const isAhead = this.#progressAt > now;
    if (buffered === 0 || buffered < this.#held || isAhead) {
      this.#progressAt = Math.floor(now);
      this.#takenBytes = undefined;
      this.#idleLooks = 0;
    }
    if (buffered !== this.#held) {
      this.#budget.looked(this.#transport, this.#held, buffered);
      this.#held = buffered;
    }
    return buffered;
  }

  /** Nothing has left the runtime: but the peer may have taken some of what left it before. */
  #lookCloser(now: number): void {
    const taken = this.#transport.takenBytes?.();
    if (taken === undefined) return;
    if (this.#takenBytes !== undefined && taken > this.#takenBytes) {
      this.#progressAt = Math.floor(now);
    }
    this.#takenBytes = taken;
  }

  #count(bytes: number): void {
    this.#held += bytes;
    if (!this.#isGone) this.#budget.handed(this.#transport, bytes, this.#owner);
  }
}
