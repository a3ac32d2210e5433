import { type EncodedFrame, joinBatch } from "../protocol/codec.ts";
import type { Progress } from "./history.ts";
import { type Lane, Outbox, type Verdict } from "./outbox.ts";
import { ProgressLog } from "./progress_log.ts";
import { StallWatch } from "./stall_watch.ts";
import type { Traffic } from "./traffic.ts";
import type { Transport } from "./transport.ts";

/** Failed writes in a row after which a client counts as gone. */
export const MAX_WRITE_ERRORS = 3;

/** A batching client gets one write at most in this time, in milliseconds; the first goes at once. */
export const BATCH_WINDOW_MS = 16;

/**
 * A client that has taken all gets whatever comes within this time, up to the high water, in
 * milliseconds; then it has to take all of that first. So what waits for a client that takes
 * nothing waits in the outbox, where frames are shared and values replaced, and not in the runtime.
 */
export const BURST_MS = 100;

/** Bounds on what waits for a client. */
export interface OutletLimits {
  /** Events waiting for one client. */
  readonly outboxMessages: number;
  /** No further frame is handed to a transport that holds this many bytes. */
  readonly highWaterBytes: number;
}

export interface OutletOptions {
  transport: Transport;
  limits: OutletLimits;
  /** Where frames are counted. */
  traffic: Traffic;
  /** Put whatever waits into one text frame, as a list. */
  batch: boolean;
  /** How far the client has got. */
  progress: Progress;
  /** Monotonic milliseconds at which it begins, here and below. */
  now: number;
  /** A write failed; `isLast` once so many did in a row that there is no use in more. */
  onWriteError: (isLast: boolean) => void;
}

/** What became of a frame: sent, or the outbox's verdict on it. */
export type Delivery = "sent" | Verdict;

/**
 * The way out to one client: frames go straight to the transport while it takes them, and wait in
 * the outbox while it does not. Keeps the books of how far the client has got and of how long it
 * has taken nothing. Once closed it forgets what waits and sends nothing more.
 */
export class Outlet {
  readonly progress: ProgressLog;
  readonly #options: OutletOptions;
  readonly #transport: Transport;
  readonly #outbox: Outbox;
  readonly #stall: StallWatch;
  #writeErrorsInRow = 0;
  #lastWriteAt = -Infinity;
  /** When the first frame went out that was handed over since the client had taken all. */
  #burstAt = -Infinity;
  #isClosed = false;

  constructor(options: OutletOptions) {
    const { transport, limits, progress, now } = options;
    this.#options = options;
    this.#transport = transport;
    this.#outbox = new Outbox(limits.outboxMessages);
    this.#stall = new StallWatch(transport, now);
    this.progress = new ProgressLog(progress);
  }

  /** Frames waiting. */
  get waitingFrames(): number {
    return this.#outbox.size;
  }

  /** What waits, in characters, which is bytes as most of the wire is ASCII. */
  get waitingBytes(): number {
    return this.#outbox.weight;
  }

  /** Bytes handed over that the operating system has not taken yet. */
  get bufferedBytes(): number {
    return this.#transport.bufferedBytes;
  }

  get isEmpty(): boolean {
    return this.#outbox.isEmpty;
  }

  /** Sends a frame now, or queues it in its lane behind what waits already. */
  deliver(frame: EncodedFrame, lane: Lane, now: number): Delivery {
    // The common case touches no queue at all.
    if (this.#outbox.isEmpty && this.#isTimeToWrite(now) && this.#hasRoom(now)) {
      if (this.#writeFrame(frame, now) || this.#isClosed) return "sent";
    }
    const verdict = this.#outbox.push(frame, lane);
    if (verdict !== "overflow") return verdict;
    // Nobody is slow for whom there is room, only that nobody has looked since.
    this.#handOver(now);
    return this.#isClosed ? "sent" : this.#outbox.push(frame, lane);
  }

  /**
   * Queues what the client missed before it resumed; call it before any broadcast is delivered.
   *
   * @param from How far it had got.
   * @param namedBy Numbers it may name while none of this has reached it.
   */
  replay(missed: readonly EncodedFrame[], from: Progress, namedBy: readonly number[]): void {
    this.progress.rewind(from, namedBy);
    this.#outbox.restore(missed);
  }

  /** Goes on in another numbering; true if frames numbered in the old one still wait. */
  renumber(start: Progress): boolean {
    this.progress.renumber(start);
    return this.#outbox.unnumber();
  }

  /** Hands over what waits, as far as there is room; true once nothing waits. */
  flush(now: number): boolean {
    if (this.#isTimeToWrite(now)) this.#handOver(now);
    return this.#outbox.isEmpty;
  }

  /** Hands over also a batch that is still being gathered. */
  flushAtOnce(now: number): void {
    this.#lastWriteAt = -Infinity;
    this.flush(now);
  }

  /** Milliseconds for which the client has taken nothing although something waits for it. */
  stalledForMs(now: number): number {
    return this.#stall.stalledForMs(now);
  }

  /** Takes back time in which this process itself stood still. */
  forgive(ms: number): void {
    this.#stall.forgive(ms);
  }

  /** Forgets what waits; `last` still goes out, ahead of whatever comes then. */
  close(last?: EncodedFrame): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#outbox.clear();
    if (last === undefined) return;
    try {
      this.#transport.send(last.text);
      this.#options.traffic.sent(last.type);
    } catch {
      // It is going anyway; the reason is in the log, in /status and in the next welcome.
    }
  }

  #hasRoom(now: number): boolean {
    const { bufferedBytes } = this.#transport;
    if (bufferedBytes === 0) return true;
    return now - this.#burstAt < BURST_MS && bufferedBytes < this.#options.limits.highWaterBytes;
  }

  #isTimeToWrite(now: number): boolean {
    return !this.#options.batch || now - this.#lastWriteAt >= BATCH_WINDOW_MS;
  }

  /** Writes what waits for as long as there is room. */
  #handOver(now: number): void {
    while (!this.#isClosed && this.#hasRoom(now) && !this.#outbox.isEmpty) {
      if (!(this.#options.batch ? this.#flushBatch(now) : this.#flushOne(now))) return;
    }
  }

  #flushOne(now: number): boolean {
    const frame = this.#outbox.peek();
    if (frame === undefined) return true;
    if (!this.#writeFrame(frame, now)) return false;
    this.#outbox.drop();
    return true;
  }

  #flushBatch(now: number): boolean {
    const { limits, traffic } = this.#options;
    const frames = this.#outbox.peekMany(limits.highWaterBytes);
    if (!this.#write(joinBatch(frames), undefined, now)) return false;
    for (const frame of frames) {
      this.progress.note(frame, this.progress.isInTurn(frame, this.#outbox.firstWaitingEvent));
      traffic.sent(frame.type);
      this.#outbox.drop();
    }
    return true;
  }

  #writeFrame(frame: EncodedFrame, now: number): boolean {
    const isInTurn = this.progress.isInTurn(frame, this.#outbox.firstWaitingEvent);
    if (!this.#write(frame.text, isInTurn ? frame.seq : undefined, now)) return false;
    this.progress.note(frame, isInTurn);
    this.#options.traffic.sent(frame.type);
    return true;
  }

  #write(text: string, seq: number | undefined, now: number): boolean {
    if (this.#stall.beforeSend(now)) this.#burstAt = now;
    try {
      this.#transport.send(text, seq);
    } catch {
      this.#writeErrorsInRow += 1;
      this.#options.onWriteError(this.#writeErrorsInRow >= MAX_WRITE_ERRORS);
      return false;
    }
    this.#writeErrorsInRow = 0;
    this.#lastWriteAt = now;
    this.#stall.afterSend();
    return true;
  }
}
