import { type EncodedFrame, joinBatch, withoutSeq } from "../../protocol/codec.ts";
import type { BatchHolder, BatchWindows } from "./batch_windows.ts";
import { HadRevisions } from "./had_revisions.ts";
import { PendingBatch } from "./pending_batch.ts";
import type { DeliveryProgress } from "../resume/history.ts";
import { type Lane, Outbox } from "./outbox.ts";
import type { BufferBudget } from "./buffer_budget.ts";
import { DeliveryLog } from "../resume/delivery_log.ts";
import { WriteGate, type WriteGateOwner } from "./write_gate.ts";
import type { Transport } from "./transport.ts";

/** Bounds on what waits for a client. */
export interface WriterLimits {
  /** Events waiting for one client. */
  readonly outboxMessages: number;
  /** No further frame is handed to a transport that holds this many bytes. */
  readonly highWaterBytes: number;
}

/** The client that is written to. */
export interface WriterOwner extends WriteGateOwner {
  /** Whether each number a client is shown has to speak for itself, whoever hears it later. */
  readonly numbersMustSpeak: boolean;
  /** Frames wait for room: {@linkcode ClientWriter.flush} has to be called until they have gone. */
  onWaiting(): void;
}

/** Counts frames by type. */
export interface FrameStats {
  /** @param clients To how many clients a frame of this type was sent. Default: one. */
  sent(type: string, clients?: number): void;
  /** A waiting frame of this type was replaced by a newer one. */
  conflated(type: string): void;
}

export interface ClientWriterOptions {
  transport: Transport;
  limits: WriterLimits;
  /** Where frames are counted. */
  stats: FrameStats;
  owner: WriterOwner;
  /** What all clients together may be handed. */
  budget: BufferBudget;
  /** Put whatever comes in one of these windows into one text frame, as a list. Default: do not. */
  windows?: BatchWindows | undefined;
  /** Put values as what changed since the client had the last one. Default: whole. */
  delta?: boolean;
  /** How far the client has got. */
  progress: DeliveryProgress;
  /** Monotonic milliseconds at which it begins, here and below. */
  now: number;
}

/**
 * For this long more events may wait for a client that takes what it can than fit into its outbox,
 * in milliseconds: a burst that the hub itself causes is not the client's fault. A client that takes
 * them more slowly than that for good is a slow one.
 */
export const MAX_BURST_MS = 10_000;

/** What became of a frame. */
export type Delivery =
  /** It was let through. It is not counted yet: of a broadcast, all such are counted at one go. */
  | "sent"
  /** It was taken care of: it waits, or the way out is closed. */
  | "accepted"
  /** This client cannot be kept up to date. */
  | "overflow";

/**
 * Writes to one client: frames go through the gate at once while there is room, and wait in an
 * outbox while there is none. Records how far the client has got. Once closed it
 * forgets what waits and sends nothing more.
 * To a client that keeps up, a broadcast costs one look, one write, and no memory.
 */
export class ClientWriter implements BatchHolder {
  readonly progress: DeliveryLog;
  readonly #gate: WriteGate;
  readonly #limits: WriterLimits;
  readonly #stats: FrameStats;
  readonly #owner: WriterOwner;
  readonly #pendingBatch: PendingBatch | undefined;
  /** Kept for a client that wants to hear what changed. */
  readonly #had: HadRevisions | undefined;
  /** There is one only while something waits in it. */
  #outbox: Outbox | undefined;
  /** Since when more events wait than may, while the client takes what it can. */
  #burstSince: number | undefined;
  #isClosed = false;

  constructor(options: ClientWriterOptions) {
    const { transport, limits, stats, owner, budget, windows, progress, now } = options;
    const { highWaterBytes } = limits;
    this.#had = options.delta ? new HadRevisions() : undefined;
    this.#gate = new WriteGate({ transport, highWaterBytes, now, owner, budget });
    this.#limits = limits;
    this.#stats = stats;
    this.#owner = owner;
    this.progress = new DeliveryLog(progress);
    const maxChars = highWaterBytes;
    this.#pendingBatch = windows && new PendingBatch({ windows, maxChars, gatherer: this });
  }

  /** Frames waiting. */
  get waitingFrames(): number {
    return this.#outbox?.size ?? this.#pendingBatch?.batch?.size ?? 0;
  }

  /** What waits, in characters: bytes, as most of the wire is ASCII. */
  get waitingBytes(): number {
    return this.#outbox?.weight ?? this.#pendingBatch?.batch?.weight ?? 0;
  }

  /** Bytes handed over that the operating system has not taken yet. */
  get bufferedBytes(): number {
    return this.#gate.bufferedBytes;
  }

  /** Those of them at the last look. */
  get heldBytes(): number {
    return this.#gate.heldBytes;
  }

  get isEmpty(): boolean {
    return this.#outbox === undefined && this.#pendingBatch?.batch === undefined;
  }

  /** Sends a frame now, or has it wait in its lane behind what waits already. */
  deliver(frame: EncodedFrame, lane: Lane, now: number): Delivery {
    if (this.#isClosed) return "accepted";
    if (this.#outbox !== undefined) return this.#queue(frame, lane, now);
    if (this.#pendingBatch !== undefined) return this.#gather(this.#pendingBatch, frame, lane, now);
    // The common case touches no queue at all.
    if (this.#gate.hasRoom(this.#textOf(frame).length, now) && this.#write(frame, undefined, now)) {
      return "sent";
    }
    return this.#queue(frame, lane, now);
  }

  /**
   * Queues what the client missed before it resumed; call it before any broadcast is delivered.
   *
   * @param from How far it had got.
   * @param namedBy Numbers it may name while none of this has reached it.
   */
  replay(
    missed: readonly EncodedFrame[],
    from: DeliveryProgress,
    namedBy: readonly number[],
  ): void {
    this.progress.rewind(from, namedBy);
    this.#wait().restore(missed);
  }

  /** Goes on in another numbering; true if frames numbered in the old one still wait. */
  renumber(start: DeliveryProgress): boolean {
    this.progress.renumber(start);
    return !this.isEmpty && this.#wait().unnumber();
  }

  /**
   * Hands over what is due, as far as there is room; true once nothing waits for room. Called on a
   * turn of its own.
   */
  flush(now: number): boolean {
    if (this.#outbox !== undefined) this.#gate.lookOnLaterTurn(now);
    this.release(now);
    if (this.#pendingBatch?.isTimeToWrite(now) ?? true) this.#handOver(now);
    return this.#outbox === undefined;
  }

  /** Hands over also a batch that is still being gathered. */
  flushAtOnce(now: number): void {
    this.#pendingBatch?.hurry();
    this.flush(now);
  }

  /** Hands over what was gathered, if it is time. */
  release(now: number): void {
    if (this.#pendingBatch?.isDue(now)) this.#release(this.#pendingBatch, now);
  }

  /** Milliseconds for which the client has taken nothing although something waits for it. */
  stalledForMs(now: number): number {
    return this.#gate.stalledForMs(now);
  }

  /** Takes back time in which this process itself stood still. */
  forgive(ms: number): void {
    this.#gate.forgive(ms);
  }

  /** Forgets the values of these channels that wait: the client wants them no more, or may not. */
  forgetValues(channels: readonly string[]): void {
    if (this.isEmpty) return;
    const outbox = this.#wait();
    outbox.forgetValues(channels);
    if (outbox.isEmpty) this.#outbox = undefined;
  }

  /** Forgets what waits; `last` still goes out, ahead of whatever comes then. */
  close(last?: EncodedFrame): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#outbox = undefined;
    this.#pendingBatch?.take();
    // If it fails: the reason is also in the log, in /status and in the next welcome.
    if (last && this.#gate.writeLast(last.text)) this.#stats.sent(last.type);
    this.#gate.close();
  }

  /** The connection is gone. */
  gone(): void {
    this.close();
    this.#gate.gone();
  }

  /** From now on frames wait for room, those that were gathered among them. */
  #wait(): Outbox {
    if (this.#outbox === undefined) {
      this.#outbox = this.#pendingBatch?.take()?.copy() ?? new Outbox(this.#limits.outboxMessages);
      this.#owner.onWaiting();
    }
    return this.#outbox;
  }

  #queue(frame: EncodedFrame, lane: Lane, now: number): Delivery {
    if (this.#isClosed) return "accepted";
    let verdict = this.#wait().push(frame, lane);
    if (verdict === "overflow") {
      // A client for which there is room is not slow; it was only not looked at since.
      this.#handOver(now);
      if (this.#isClosed) return "accepted";
      verdict = this.#wait().push(frame, lane);
      if (verdict === "overflow" && this.#isBurst(now)) verdict = this.#wait().overrun(frame, lane);
    }
    if (verdict === "conflated") this.#stats.conflated(frame.type);
    return verdict === "overflow" ? "overflow" : "accepted";
  }

  /** Whether what comes is more than the client has had the time to take, rather than can take. */
  #isBurst(now: number): boolean {
    if (this.#gate.isFailing || this.#gate.isIdle(now)) return false;
    this.#burstSince ??= now;
    return now - this.#burstSince < MAX_BURST_MS;
  }

  #gather(pendingBatch: PendingBatch, frame: EncodedFrame, lane: Lane, now: number): Delivery {
    let step = pendingBatch.add(frame, lane, now);
    if (step === "full") {
      this.#release(pendingBatch, now);
      // Where that did not go through it waits in the outbox, and so does this frame.
      if (this.#outbox === undefined && !this.#isClosed) step = pendingBatch.add(frame, lane, now);
      if (step === "full") return this.#queue(frame, lane, now);
    }
    if (pendingBatch.batch?.verdict === "conflated") this.#stats.conflated(frame.type);
    if (step === "release") this.#release(pendingBatch, now);
    return "accepted";
  }

  #release(pendingBatch: PendingBatch, now: number): void {
    const { batch } = pendingBatch;
    if (batch === undefined) return;
    const text = this.#had === undefined ? batch.text : batch.textFor(this.#had);
    if (!this.#gate.hasRoom(text.length, now) || !this.#gate.write(text, now)) {
      if (!this.#isClosed) this.#wait();
      return;
    }
    pendingBatch.take();
    pendingBatch.wrote(now);
    for (const { frame, firstWaitingEvent } of batch.frames) this.#left(frame, firstWaitingEvent);
  }

  /** Writes what waits in the outbox for as long as there is room. */
  #handOver(now: number): void {
    while (this.#outbox !== undefined) {
      const first = this.#outbox.peek();
      if (!this.#gate.hasRoom(first ? this.#textOf(first).length : 0, now)) return;
      const isDone = this.#pendingBatch
        ? this.#flushBatch(this.#outbox, this.#pendingBatch, now)
        : this.#flushOne(this.#outbox, now);
      if (!isDone) return;
      if (this.#outbox?.isEmpty) {
        this.#outbox = undefined;
        this.#burstSince = undefined;
      }
    }
  }

  #flushOne(outbox: Outbox, now: number): boolean {
    const frame = outbox.peek();
    if (frame === undefined) return true;
    if (!this.#write(frame, outbox.firstWaitingEvent(), now)) return false;
    this.#stats.sent(frame.type);
    outbox.drop();
    return true;
  }

  #flushBatch(outbox: Outbox, pendingBatch: PendingBatch, now: number): boolean {
    const frames = outbox.peekMany(this.#limits.highWaterBytes);
    const left = outbox.firstWaitingEvent(frames.length);
    const shown = frames.map((frame) => this.#shown(frame, left));
    const texts = shown.map((frame) => ({ text: this.#textOf(frame) }));
    if (!this.#gate.write(joinBatch(texts), now)) return false;
    pendingBatch.wrote(now);
    for (const [at, frame] of frames.entries()) {
      const isNumberHidden = shown[at] !== frame;
      this.#left(frame, isNumberHidden ? undefined : outbox.firstWaitingEvent());
      outbox.drop();
    }
    return true;
  }

  #write(frame: EncodedFrame, firstWaitingEvent: number | undefined, now: number): boolean {
    const isInTurn = this.progress.isInTurn(frame, firstWaitingEvent);
    const shown = this.#shown(frame, firstWaitingEvent);
    const resumeFrom = frame.resumeFrom ?? (isInTurn ? frame.seq : undefined);
    if (!this.#gate.write(this.#textOf(shown), now, resumeFrom)) return false;
    this.progress.note(frame, isInTurn || shown !== frame);
    this.#had?.note(frame);
    return true;
  }

  #textOf(frame: EncodedFrame): string {
    return this.#had?.textOf(frame) ?? frame.text;
  }

  /** The frame as the client sees it: without a number that would be taken for more than it says. */
  #shown(frame: EncodedFrame, firstWaitingEvent: number | undefined): EncodedFrame {
    const isMisleading = this.#owner.numbersMustSpeak &&
      DeliveryLog.overtakes(frame, firstWaitingEvent);
    return isMisleading ? withoutSeq(frame) : frame;
  }

  #left(frame: EncodedFrame, firstWaitingEvent: number | undefined): void {
    this.progress.note(frame, this.progress.isInTurn(frame, firstWaitingEvent));
    this.#had?.note(frame);
    this.#stats.sent(frame.type);
  }
}
