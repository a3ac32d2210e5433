import { type EncodedFrame, withoutSeq } from "../../protocol/codec.ts";

/** The lane a frame waits in. Lanes are emptied in this order. */
export type Lane =
  /** Errors, heartbeats, answers: ahead of everything. */
  | "control"
  /** Events: every one counts, in order. */
  | "event"
  /** Values: only the newest of a channel counts. */
  | "status";

/** What became of a frame. */
export type PushResult =
  | "queued"
  /** It took the place of an older frame that need not be sent any more. */
  | "conflated"
  /** The lane is full: this client cannot be kept up to date. The frame was not queued. */
  | "overflow";

/**
 * Most frames in the control lane. When full, the client takes nothing at all while it is being
 * told of trouble or sends pings: it is a slow client.
 */
export const MAX_CONTROL_FRAMES = 256;

/**
 * Frames that may wait beyond the bounds in a burst that the client had no time yet to take, and
 * their length in characters. When full, it is a slow client after all.
 */
export const MAX_OVERRUN_FRAMES = 20_000;
export const MAX_OVERRUN_CHARS = 16 * 1024 * 1024;

const NONE: EncodedFrame[] = [];

/**
 * What waits for one client: three lanes, each bounded. Control frames and events wait in order,
 * the former up to {@linkcode MAX_CONTROL_FRAMES}, the latter up to `maxEvents`; a status frame
 * replaces the waiting one of its channel and keeps its turn, so that a channel which changes
 * often cannot push the others back. Pure: it sends nothing and owns no clock.
 *
 * Ahead of the events goes what a resumed client missed; it is as long as the history at most.
 * Until it is through, errors line up behind it: a client must not read of a recovery first and of
 * the failure after.
 *
 * Lanes are made when first used: an idle client costs a few empty references.
 */
export class Outbox {
  readonly #maxEvents: number;
  #control = NONE;
  #missed: readonly EncodedFrame[] = NONE;
  #missedAt = 0;
  #events = NONE;
  /** Errors that line up among the events. */
  #errorsInEvents = 0;
  /** Length of the frames that did not fit, since they last all did. */
  #overrunChars = 0;
  #status: Map<string, EncodedFrame> | undefined;

  constructor(maxEvents: number) {
    this.#maxEvents = maxEvents;
  }

  /** Another one in which the same frames wait. */
  copy(): Outbox {
    const copy = new Outbox(this.#maxEvents);
    if (this.#control.length > 0) copy.#control = [...this.#control];
    copy.#missed = this.#missed;
    copy.#missedAt = this.#missedAt;
    if (this.#events.length > 0) copy.#events = [...this.#events];
    copy.#errorsInEvents = this.#errorsInEvents;
    copy.#overrunChars = this.#overrunChars;
    if (this.#status?.size) copy.#status = new Map(this.#status);
    return copy;
  }

  get isEmpty(): boolean {
    return this.#control.length === 0 && this.#missed.length === 0 && this.#events.length === 0 &&
      (this.#status === undefined || this.#status.size === 0);
  }

  /** Frames waiting. */
  get size(): number {
    return this.#control.length + this.#missed.length - this.#missedAt + this.#events.length +
      (this.#status?.size ?? 0);
  }

  /** Characters waiting: what the frames weigh, near enough, as most of the wire is ASCII. */
  get weight(): number {
    let weight = 0;
    for (const { text } of this.#inOrder()) weight += text.length;
    return weight;
  }

  /**
   * The lowest number among the events (and missed frames) that wait, if any has one: those from
   * before a change of the numbering stand ahead of the others and have none.
   *
   * @param skipped Frames that are going to leave first. Default: none.
   */
  firstWaitingEvent(skipped = 0): number | undefined {
    let left = skipped - this.#control.length;
    for (let at = this.#missedAt; at < this.#missed.length; at++) {
      const seq = this.#missed[at]?.seq;
      if (left-- <= 0 && seq !== undefined) return seq;
    }
    for (const { seq } of this.#events) if (left-- <= 0 && seq !== undefined) return seq;
    return undefined;
  }

  /** Queues what a resumed client missed, in order, ahead of all events to come. */
  restore(missed: readonly EncodedFrame[]): void {
    this.#missed = missed;
    this.#missedAt = 0;
  }

  push(frame: EncodedFrame, lane: Lane): PushResult {
    switch (lane) {
      case "control":
        return this.#mustLineUp(frame) ? this.#pushEvent(frame) : this.#pushControl(frame);
      case "event":
        return this.#pushEvent(frame);
      case "status": {
        this.#status ??= new Map();
        const isOlderWaiting = this.#status.has(frame.type);
        // Setting an existing key keeps its place in the order of a Map.
        this.#status.set(frame.type, frame);
        return isOlderWaiting ? "conflated" : "queued";
      }
    }
  }

  /** Queues a frame for which {@linkcode push} had no room: for a burst, and within bounds. */
  overrun(frame: EncodedFrame, lane: Lane): PushResult {
    const waiting = this.#control.length + this.#events.length;
    const isFull = waiting >= this.#maxEvents + MAX_CONTROL_FRAMES + MAX_OVERRUN_FRAMES ||
      this.#overrunChars + frame.text.length > MAX_OVERRUN_CHARS;
    if (isFull) return "overflow";
    this.#overrunChars += frame.text.length;
    if (lane === "control" && !this.#mustLineUp(frame)) this.#control.push(frame);
    else this.#addEvent(frame);
    return "queued";
  }

  /** The next frame to send, left in place. */
  peek(): EncodedFrame | undefined {
    return this.#control[0] ?? this.#missed[this.#missedAt] ?? this.#events[0] ??
      (this.#status?.size ? this.#status.values().next().value : undefined);
  }

  /**
   * The frames that would be sent next, in order, left in place: as many as fit into `maxChars`
   * characters, but at least one if any waits.
   */
  peekMany(maxChars: number): EncodedFrame[] {
    const frames: EncodedFrame[] = [];
    let chars = 0;
    for (const frame of this.#inOrder()) {
      chars += frame.text.length;
      if (chars > maxChars && frames.length > 0) break;
      frames.push(frame);
    }
    return frames;
  }

  /** Removes the frame that {@linkcode peek} showed. */
  drop(): void {
    if (this.#overrunChars > 0 && this.size <= this.#maxEvents) this.#overrunChars = 0;
    if (this.#control.length > 0) this.#control.shift();
    else if (this.#missed.length > 0) {
      this.#missedAt += 1;
      if (this.#missedAt === this.#missed.length) this.restore(NONE);
    } else if (this.#events.length > 0) {
      const event = this.#events.shift();
      if (event && isSharedError(event)) this.#errorsInEvents -= 1;
    } else {
      for (const type of this.#status?.keys() ?? []) {
        this.#status?.delete(type);
        return;
      }
    }
  }

  /**
   * Takes the numbers off the frames that wait, for in another numbering they would mean something
   * else. Returns whether an event or a shared error was among them.
   */
  unnumber(): boolean {
    const kept = [...this.#missed.slice(this.#missedAt), ...this.#events, ...this.#control]
      .some(({ seq, type }) => seq !== undefined && type !== "heartbeat");
    this.#missed = this.#missed.slice(this.#missedAt).map(withoutSeq);
    this.#missedAt = 0;
    this.#events = this.#events.length === 0 ? NONE : this.#events.map(withoutSeq);
    this.#control = this.#control.length === 0 ? NONE : this.#control.map(withoutSeq);
    // Told apart by their numbers, which are gone: they line up with no other any more.
    this.#errorsInEvents = 0;
    for (const [type, frame] of this.#status ?? []) this.#status?.set(type, withoutSeq(frame));
    return kept;
  }

  /** Removes the values of these channels. */
  forgetValues(channels: readonly string[]): void {
    for (const channel of channels) this.#status?.delete(channel);
  }

  /** Removes all frames. */
  clear(): void {
    this.#control = NONE;
    this.restore(NONE);
    this.#events = NONE;
    this.#errorsInEvents = 0;
    this.#overrunChars = 0;
    this.#status = undefined;
  }

  *#inOrder(): Generator<EncodedFrame, void, void> {
    yield* this.#control;
    for (let at = this.#missedAt; at < this.#missed.length; at++) {
      const frame = this.#missed[at];
      if (frame) yield frame;
    }
    yield* this.#events;
    if (this.#status) yield* this.#status.values();
  }

  #mustLineUp(frame: EncodedFrame): boolean {
    return isSharedError(frame) && (this.#missed.length > 0 || this.#errorsInEvents > 0);
  }

  #pushEvent(frame: EncodedFrame): PushResult {
    if (this.#events.length >= this.#maxEvents) return "overflow";
    this.#addEvent(frame);
    return "queued";
  }

  #addEvent(frame: EncodedFrame): void {
    if (this.#events === NONE) this.#events = [];
    this.#events.push(frame);
    if (isSharedError(frame)) this.#errorsInEvents += 1;
  }

  #pushControl(frame: EncodedFrame): PushResult {
    // Of heartbeats, as of values, only the newest says anything.
    if (frame.type === "heartbeat") {
      const at = this.#control.findIndex((waiting) => waiting.type === "heartbeat");
      if (at >= 0) {
        this.#control.splice(at, 1);
        this.#control.push(frame);
        return "conflated";
      }
    }
    if (this.#control.length >= MAX_CONTROL_FRAMES) return "overflow";
    if (this.#control === NONE) this.#control = [];
    this.#control.push(frame);
    return "queued";
  }
}

/** An error told to everybody, which a resuming client gets again, as opposed to one of its own. */
function isSharedError(frame: EncodedFrame): boolean {
  return frame.advances === "errors";
}
