import { SubscriptionSet } from "../protocol/channel.ts";
import { CLOSE, type CloseName } from "../protocol/close_code.ts";
import type { EncodedFrame } from "../protocol/codec.ts";
import type { ClientMessage } from "../protocol/message.ts";
import type { DeliveryProgress } from "./resume/history.ts";
import { InboundLimits, type InboundLimitsOptions, type InboundResult } from "./inbound_limits.ts";
import type { BatchWindows } from "./delivery/batch_windows.ts";
import type { SubscriptionGroup } from "./subscription_group.ts";
import type { Lane } from "./delivery/outbox.ts";
import { ClientWriter, type WriterLimits, type WriterOwner } from "./delivery/client_writer.ts";
import type { BufferBudget } from "./delivery/buffer_budget.ts";
import type { DeliveryLog } from "./resume/delivery_log.ts";
import type { HubStats } from "./hub_stats.ts";
import type { Transport } from "./delivery/transport.ts";
import type { LogFields } from "../telemetry/log.ts";

/** Bounds that hold for every session of a hub. */
export type SessionLimits = WriterLimits & InboundLimitsOptions;

/** What a session asks of the hub it belongs to. */
export interface SessionHost {
  readonly limits: SessionLimits;
  /** Where frames are counted. */
  readonly stats: HubStats;
  readonly windows: BatchWindows;
  /** What all clients together may be handed. */
  readonly budget: BufferBudget;
  /** Whether each number a client is shown has to speak for itself, whoever hears it later. */
  readonly numbersMustSpeak: boolean;
  /** A message was understood. */
  onMessage(session: Session, message: ClientMessage): void;
  /** A message was not acceptable; `code` says how. */
  onBadMessage(session: Session, code: "BAD_MESSAGE" | "RATE_LIMITED", why: string): void;
  /** Frames wait for room: look again soon. */
  onBlocked(session: Session): void;
  /** The client cannot be kept up to date. */
  onSlow(session: Session, why: string): void;
  /** Others wait for the room that the client takes. */
  onEvicted(session: Session, why: string): void;
  /** A write failed. */
  onWriteError(session: Session): void;
  /** The session must be ended for the named reason. */
  onViolation(session: Session, close: CloseName): void;
}

export interface SessionOptions {
  id: string;
  transport: Transport;
  host: SessionHost;
  /** Monotonic milliseconds at which it began. */
  now: number;
  /** Whether the client may have frames of this channel. Default: all. */
  mayRead?: (channel: string) => boolean;
  /** The client's address, for logs. */
  address?: string;
  /** How the token it came with is called, for logs. */
  tokenName?: string;
  /** Put whatever waits into one text frame, as a list. Default: one frame each. */
  batch?: boolean;
  /** Put values as what changed since it had the last one. Default: whole. */
  delta?: boolean;
  /** It wants whatever there is. Default: it names what it wants. */
  wantsAll?: boolean;
  /** How far the client has got: with the newest broadcast, unless it resumes. */
  progress: DeliveryProgress;
}

/** Subscriptions of a session that the registry has not taken in yet. */
const NOTHING = new SubscriptionSet();

/**
 * One client: its subscriptions, the writer of its frames, and the limits
 * on what it sends. It does not know the other
 * clients; what it cannot decide alone it asks of its host. After {@linkcode Session.end}
 * calls of its transport change nothing.
 */
export class Session implements WriterOwner {
  readonly id: string;
  readonly address: string | undefined;
  /** Those that are subscribed to the same; the registry's to change. */
  group: SubscriptionGroup<Session> | undefined;
  /** It asked for no channel in particular, and gets those that come to be as well. */
  readonly wantsAll: boolean;
  /** It wants to hear of values what changed. */
  readonly wantsDelta: boolean;
  readonly startedAt: number;
  /** How many clients the hub has had before this one. */
  readonly ordinal: number;
  readonly #transport: Transport;
  readonly #host: SessionHost;
  readonly #writer: ClientWriter;
  #mayRead: ((channel: string) => boolean) | undefined;
  #tokenName: string | undefined;
  /** Channels it left though it wants everything; bounded, as it had each of them. */
  #left: Set<string> | undefined;
  /** There are none before the first message: most clients never send any. */
  #inboundLimits: InboundLimits | undefined;
  #ended = false;

  constructor(options: SessionOptions) {
    const { id, transport, host, now, progress, address, mayRead, tokenName } = options;
    const { batch = false, delta = false, wantsAll = false } = options;
    const { limits, stats } = host;
    this.id = id;
    this.address = address;
    this.wantsAll = wantsAll;
    this.wantsDelta = delta;
    this.startedAt = now;
    this.ordinal = stats.opened;
    this.#transport = transport;
    this.#host = host;
    this.#mayRead = mayRead;
    this.#tokenName = tokenName;
    const windows = batch ? host.windows : undefined;
    this.#writer = new ClientWriter({
      transport,
      limits,
      stats,
      windows,
      delta,
      progress,
      now,
      owner: this,
      budget: host.budget,
    });
  }

  get subscriptions(): SubscriptionSet {
    return this.group?.subscriptions ?? NOTHING;
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** How far the client has got. */
  get progress(): DeliveryLog {
    return this.#writer.progress;
  }

  /** Whether frames wait for it. */
  get isBlocked(): boolean {
    return !this.#writer.isEmpty;
  }

  /** Whether everything sent so far has been taken by the operating system. */
  get isFlushed(): boolean {
    return this.#writer.isEmpty && this.#writer.bufferedBytes === 0;
  }

  /** Frames waiting. */
  get waitingFrames(): number {
    return this.#writer.waitingFrames;
  }

  /** What waits, in characters, which is bytes as most of the wire is ASCII. */
  get waitingBytes(): number {
    return this.#writer.waitingBytes;
  }

  /** Bytes handed over that the operating system has not taken yet. */
  get bufferedBytes(): number {
    return this.#writer.bufferedBytes;
  }

  /** What every log line about the client says of it. */
  get logFields(): LogFields {
    return { client_id: this.id, address: this.address, token_name: this.#tokenName };
  }

  /** From now on it may read this; what it is subscribed to is its hub's to change. */
  changeRights({ mayRead, tokenName }: Pick<SessionOptions, "mayRead" | "tokenName">): void {
    this.#mayRead = mayRead;
    this.#tokenName = tokenName;
  }

  /** Those of them at the last look. */
  get heldBytes(): number {
    return this.#writer.heldBytes;
  }

  mayRead(channel: string): boolean {
    return this.#mayRead?.(channel) ?? true;
  }

  /** Whether it may have this frame, of those that it subscribed to. */
  mayHave({ about }: EncodedFrame): boolean {
    return about === undefined || this.#mayRead === undefined || about.some(this.#mayRead);
  }

  /** Whether it left this channel, and is not to get it again by itself. */
  hasLeft(channel: string): boolean {
    return this.#left?.has(channel) ?? false;
  }

  /** It leaves these channels, some of which it had. */
  leave(channels: readonly string[]): void {
    if (!this.wantsAll) return;
    const had = channels.filter((channel) => this.subscriptions.has(channel));
    this.#left = (this.#left ?? new Set()).union(new Set(had));
  }

  /** It asks for these channels. */
  comeBackTo(channels: readonly string[]): void {
    for (const channel of channels) this.#left?.delete(channel);
  }

  /** Sends a frame now, or queues it in its lane behind what waits already. */
  deliver(frame: EncodedFrame, lane: Lane, now: number): void {
    if (this.offer(frame, lane, now)) this.#host.stats.sent(frame.type);
  }

  /**
   * Delivers a frame of a broadcast. True if it went out at once, which the caller counts: for all
   * clients together.
   */
  offer(frame: EncodedFrame, lane: Lane, now: number): boolean {
    if (frame.about !== undefined && !this.mayHave(frame)) return false;
    const delivery = this.#writer.deliver(frame, lane, now);
    if (delivery === "overflow") {
      this.#host.onSlow(this, `${this.waitingFrames} frames wait and one more does not fit`);
    }
    return delivery === "sent";
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
    if (missed.length > 0) this.#writer.replay(missed, from, namedBy);
  }

  /** It resumed from a number of an earlier connection, and has missed nothing. */
  keepNamed(seq: number): void {
    this.#writer.progress.keepNamed(seq);
  }

  /**
   * Goes on in another numbering, in which the client has got everything. Events that still wait
   * are sent without the number they had. Returns whether there were any.
   */
  renumber(seq: number): boolean {
    return this.#writer.renumber({ events: seq, errors: seq });
  }

  /** Forgets the values of these channels that wait for it. */
  forgetValues(channels: readonly string[]): void {
    if (!this.#ended) this.#writer.forgetValues(channels);
  }

  /** Hands over what waits, as far as there is room; true once nothing waits for room. */
  flush(now: number): boolean {
    return this.#ended || this.#writer.flush(now) || this.#ended;
  }

  /** Milliseconds for which the client has taken nothing although something waits for it. */
  stalledForMs(now: number): number {
    return this.#writer.stalledForMs(now);
  }

  /** Does not count time in which this process itself stood still. */
  forgive(ms: number): void {
    this.#writer.forgive(ms);
  }

  /** Takes a text message from the client. */
  receive(text: string, now: number): void {
    if (!this.#ended) this.#react(this.#limitsAt(now).judge(text, now), now);
  }

  /** Takes a binary message from the client. */
  receiveBinary(byteLength: number, now: number): void {
    if (!this.#ended) this.#react(this.#limitsAt(now).judgeBinary(byteLength, now), now);
  }

  /**
   * Ends the session: what waits is forgotten, `last` is the final frame, and the connection is
   * closed. Idempotent; the first caller's reason stands.
   *
   * @param options `withinMs`: how long the connection gets to go. Default: its transport's own.
   */
  end(
    close: CloseName,
    { last, withinMs }: { last?: EncodedFrame; withinMs?: number | undefined } = {},
  ): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#writer.close(last);
    const { code, reason } = CLOSE[close];
    this.#transport.close(code, reason, withinMs);
  }

  /** Notes that the connection is gone, ended by either side. Idempotent. */
  gone(): void {
    this.#ended = true;
    this.#writer.gone();
  }

  /** For the budget: others wait for the room it takes. */
  evict(why: string): void {
    this.#host.onEvicted(this, why);
  }

  /** For its writer. */
  get numbersMustSpeak(): boolean {
    return this.#host.numbersMustSpeak;
  }

  /** For its writer: frames wait for room. */
  onWaiting(): void {
    this.#host.onBlocked(this);
  }

  /** For its writer: a write failed. */
  onWriteError(isLast: boolean): void {
    this.#host.onWriteError(this);
    if (isLast) this.#host.onViolation(this, "writeErrors");
  }

  #limitsAt(now: number): InboundLimits {
    return this.#inboundLimits ??= new InboundLimits(this.#host.limits, now);
  }

  #react(result: InboundResult, now: number): void {
    switch (result.kind) {
      case "message":
        this.#host.onMessage(this, result.message);
        return;
      case "complaint":
        this.#host.onBadMessage(this, result.code, result.why);
        if (result.close) this.#violate(result.close, now);
        return;
      case "violation":
        this.#violate(result.close, now);
    }
  }

  /** Has the session ended for what the client sent; the answers to what it sent before go first. */
  #violate(close: CloseName, now: number): void {
    if (this.#ended) return;
    this.#writer.flushAtOnce(now);
    this.#host.onViolation(this, close);
  }
}
