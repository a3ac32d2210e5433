import { type EncodedFrame, joinBatch } from "../protocol/codec.ts";
import type { BatchWindows, Gatherer } from "./batch_windows.ts";
import { Gathering } from "./gathering.ts";
import type { Progress } from "./history.ts";
import { type Lane, Outbox } from "./outbox.ts";
import { ProgressLog } from "./progress_log.ts";
import { Tap, type TapOwner } from "./tap.ts";
import type { Traffic } from "./traffic.ts";
import type { Transport } from "./transport.ts";

/** Bounds on what waits for a client. */
export interface OutletLimits {
  /** Events waiting for one client. */
  readonly outboxMessages: number;
  /** No further frame is handed to a transport that holds this many bytes. */
  readonly highWaterBytes: number;
}

/** Whose outlet it is. */
export interface OutletOwner extends TapOwner {
  /** Frames wait for room: {@linkcode Outlet.flush} has to be called until they have gone. */
  onWaiting(): void;
}

export interface OutletOptions {
  transport: Transport;
  limits: OutletLimits;
  /** Where frames are counted. */
  traffic: Traffic;
  owner: OutletOwner;
  /** Put whatever comes in one of these windows into one text frame, as a list. Default: do not. */
  windows?: BatchWindows | undefined;
  /** How far the client has got. */
  progress: Progress;
  /** Monotonic milliseconds at which it begins, here and below. */
  now: number;
}

/** What became of a frame. */
export type Delivery =
  /** It was let through. It is not counted yet: of a broadcast, all such are counted at one go. */
  | "sent"
  /** It was taken care of: it waits, or the way out is closed. */
  | "accepted"
  /** This client cannot be kept up to date. */
  | "overflow";

/**
 * The way out to one client: frames go straight through the tap while there is room, and wait in
 * an outbox while there is none. Keeps the books of how far the client has got. Once closed it
 * forgets what waits and sends nothing more.
 * To a client that keeps up, a broadcast costs one look, one write, and no memory.
 */
export class Outlet implements Gatherer {
  readonly progress: ProgressLog;
  readonly #tap: Tap;
  readonly #limits: OutletLimits;
  readonly #traffic: Traffic;
  readonly #owner: OutletOwner;
  readonly #gathering: Gathering | undefined;
  /** There is one only while something waits in it. */
  #outbox: Outbox | undefined;
  #isClosed = false;

  constructor(options: OutletOptions) {
    const { transport, limits, traffic, owner, windows, progress, now } = options;
    const { highWaterBytes } = limits;
    this.#tap = new Tap({ transport, highWaterBytes, now, owner });
    this.#limits = limits;
    this.#traffic = traffic;
    this.#owner = owner;
    this.progress = new ProgressLog(progress);
    const maxChars = highWaterBytes;
    this.#gathering = windows && new Gathering({ windows, maxChars, gatherer: this });
  }

  /** Frames waiting. */
  get waitingFrames(): number {
    return this.#outbox?.size ?? this.#gathering?.batch?.size ?? 0;
  }

  /** What waits, in characters: bytes, as most of the wire is ASCII. */
  get waitingBytes(): number {
    return this.#outbox?.weight ?? this.#gathering?.batch?.weight ?? 0;
  }

  /** Bytes handed over that the operating system has not taken yet. */
  get bufferedBytes(): number {
    return this.#tap.bufferedBytes;
  }

  get isEmpty(): boolean {
    return this.#outbox === undefined && this.#gathering?.batch === undefined;
  }

  /** Sends a frame now, or has it wait in its lane behind what waits already. */
  deliver(frame: EncodedFrame, lane: Lane, now: number): Delivery {
    if (this.#isClosed) return "accepted";
    if (this.#outbox !== undefined) return this.#queue(frame, lane, now);
    if (this.#gathering !== undefined) return this.#gather(this.#gathering, frame, lane, now);
    // The common case touches no queue at all.
    if (this.#tap.hasRoom(now) && this.#write(frame, undefined, now)) return "sent";
    return this.#queue(frame, lane, now);
  }

  /**
   * Queues what the client missed before it resumed; call it before any broadcast is delivered.
   *
   * @param from How far it had got.
   * @param namedBy Numbers it may name while none of this has reached it.
   */
  replay(missed: readonly EncodedFrame[], from: Progress, namedBy: readonly number[]): void {
    this.progress.rewind(from, namedBy);
    this.#wait().restore(missed);
  }

  /** Goes on in another numbering; true if frames numbered in the old one still wait. */
  renumber(start: Progress): boolean {
    this.progress.renumber(start);
    return !this.isEmpty && this.#wait().unnumber();
  }

  /** Hands over what is due, as far as there is room; true once nothing waits for room. */
  flush(now: number): boolean {
    this.release(now);
    if (this.#gathering?.isTimeToWrite(now) ?? true) this.#handOver(now);
    return this.#outbox === undefined;
  }

  /** Hands over also a batch that is still being gathered. */
  flushAtOnce(now: number): void {
    this.#gathering?.hurry();
    this.flush(now);
  }

  /** Hands over what was gathered, if it is time. */
  release(now: number): void {
    if (this.#gathering?.isDue(now)) this.#release(this.#gathering, now);
  }

  /** Milliseconds for which the client has taken nothing although something waits for it. */
  stalledForMs(now: number): number {
    return this.#tap.stalledForMs(now);
  }

  /** Takes back time in which this process itself stood still. */
  forgive(ms: number): void {
    this.#tap.forgive(ms);
  }

  /** Forgets what waits; `last` still goes out, ahead of whatever comes then. */
  close(last?: EncodedFrame): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#outbox = undefined;
    this.#gathering?.take();
    // If it fails: the reason is also in the log, in /status and in the next welcome.
    if (last && this.#tap.writeLast(last.text)) this.#traffic.sent(last.type);
  }

  /** From now on frames wait for room, those that were gathered among them. */
  #wait(): Outbox {
    if (this.#outbox === undefined) {
      this.#outbox = this.#gathering?.take()?.copy() ?? new Outbox(this.#limits.outboxMessages);
      this.#owner.onWaiting();
    }
    return this.#outbox;
  }

  #queue(frame: EncodedFrame, lane: Lane, now: number): Delivery {
    if (this.#isClosed) return "accepted";
    let verdict = this.#wait().push(frame, lane);
    if (verdict === "overflow") {
      // Nobody is slow for whom there is room, only that nobody has looked since.
      this.#handOver(now);
      if (this.#isClosed) return "accepted";
      verdict = this.#wait().push(frame, lane);
    }
    if (verdict === "conflated") this.#traffic.conflated(frame.type);
    return verdict === "overflow" ? "overflow" : "accepted";
  }

  #gather(gathering: Gathering, frame: EncodedFrame, lane: Lane, now: number): Delivery {
    let step = gathering.add(frame, lane, now);
    if (step === "full") {
      this.#release(gathering, now);
      // Where that did not go through it waits in the outbox, and so does this frame.
      if (this.#outbox === undefined && !this.#isClosed) step = gathering.add(frame, lane, now);
      if (step === "full") return this.#queue(frame, lane, now);
    }
    if (gathering.batch?.verdict === "conflated") this.#traffic.conflated(frame.type);
    if (step === "release") this.#release(gathering, now);
    return "accepted";
  }

  #release(gathering: Gathering, now: number): void {
    const { batch } = gathering;
    if (batch === undefined) return;
    if (!this.#tap.hasRoom(now) || !this.#tap.write(batch.text, now)) {
      if (!this.#isClosed) this.#wait();
      return;
    }
    gathering.take();
    gathering.wrote(now);
    for (const { frame, firstWaitingEvent } of batch.frames) this.#left(frame, firstWaitingEvent);
  }

  /** Writes what waits in the outbox for as long as there is room. */
  #handOver(now: number): void {
    while (this.#outbox !== undefined && this.#tap.hasRoom(now)) {
      const isDone = this.#gathering
        ? this.#flushBatch(this.#outbox, this.#gathering, now)
        : this.#flushOne(this.#outbox, now);
      if (!isDone) return;
      if (this.#outbox?.isEmpty) this.#outbox = undefined;
    }
  }

  #flushOne(outbox: Outbox, now: number): boolean {
    const frame = outbox.peek();
    if (frame === undefined) return true;
    if (!this.#write(frame, outbox.firstWaitingEvent, now)) return false;
    this.#traffic.sent(frame.type);
    outbox.drop();
    return true;
  }

  #flushBatch(outbox: Outbox, gathering: Gathering, now: number): boolean {
    const frames = outbox.peekMany(this.#limits.highWaterBytes);
    if (!this.#tap.write(joinBatch(frames), now)) return false;
    gathering.wrote(now);
    for (const frame of frames) {
      this.#left(frame, outbox.firstWaitingEvent);
      outbox.drop();
    }
    return true;
  }

  #write(frame: EncodedFrame, firstWaitingEvent: number | undefined, now: number): boolean {
    const isInTurn = this.progress.isInTurn(frame, firstWaitingEvent);
    if (!this.#tap.write(frame.text, now, isInTurn ? frame.seq : undefined)) return false;
    this.progress.note(frame, isInTurn);
    return true;
  }

  #left(frame: EncodedFrame, firstWaitingEvent: number | undefined): void {
    this.progress.note(frame, this.progress.isInTurn(frame, firstWaitingEvent));
    this.#traffic.sent(frame.type);
  }
}
