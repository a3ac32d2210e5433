import { EVENT_CHANNEL, isErrorType, RESERVED_TYPES } from "../protocol/channel.ts";
import type { CloseName } from "../protocol/close_code.ts";
import { type EncodedFrame, encodeFrame, json, type JsonText } from "../protocol/codec.ts";
import { type ErrorCode, type ErrorEvent, errorType } from "../protocol/error_event.ts";
import type { WelcomeData } from "../protocol/message.ts";
import type { StatusData } from "../protocol/status_data.ts";
import type { Clock } from "../resilience/clock.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import type { ValueStore } from "../values/value_store.ts";
import { BatchWindows } from "./delivery/batch_windows.ts";
import { type Backlog, backlogOf } from "./delivery/backlog.ts";
import { BufferBudget } from "./delivery/buffer_budget.ts";
import { ClientRequests } from "./client_requests.ts";
import { aboutSubject, type ChannelsOfBackend } from "../protocol/error_subject.ts";
import { ErrorCounts, type ErrorMetrics } from "./error_counts.ts";
import { Disconnects, type TransportEnd } from "./disconnects.ts";
import { FanOut } from "./delivery/fan_out.ts";
import { ShutdownNotice } from "./shutdown_notice.ts";
import type { HubMirror, HubRecord, NumberedFrame, NumberedPlace } from "./hub_mirror.ts";
import { DeliveryLog } from "./resume/delivery_log.ts";
import { History, type HistoryOptions } from "./resume/history.ts";
import { Sequence } from "./resume/sequence.ts";
import { Pump } from "./delivery/pump.ts";
import { Registry } from "./registry.ts";
import { HubKeeping } from "./resume/hub_keeping.ts";
import { type Resume, type Resumed, resumeFrom } from "./resume/resume.ts";
import type { ResumeKeeper, ResumePast } from "./resume/resume_keeper.ts";
import { Session, type SessionHost, type SessionLimits } from "./session.ts";
import { type Departure, SharedStream, type StreamError } from "./shared_stream.ts";
import { StallSweep } from "./delivery/stall_sweep.ts";
import { HubStats } from "./hub_stats.ts";
import type { Transport } from "./delivery/transport.ts";
import { ValueFrames } from "./delivery/value_frames.ts";

/** Bounds of a hub. */
export interface HubLimits extends SessionLimits {
  readonly stallTimeoutMs: number;
  /** Bytes handed over and not taken, of all clients together. */
  readonly maxBufferedBytes: number;
}

/**
 * How long the connection gets to go of a client that is closed for the room it takes, in
 * milliseconds: it takes nothing, and the room is wanted by others.
 */
const EVICTED_WITHIN_MS = 250;

export interface HubOptions {
  clock: Clock;
  limits: HubLimits;
  /** What is kept for clients that resume. */
  history: HistoryOptions;
  /** The epoch goes on after this process, where less is remembered of clients. Default: false. */
  isEpochKept?: boolean;
  /** Told of each error that a stream says which several hubs share. Default: nobody is. */
  onStreamError?: (code: ErrorCode, told: StreamError) => void;
  /** Takes what another life of the hub goes on from; the epoch is kept then. Default: nobody does. */
  keeper?: ResumeKeeper;
  /** What an earlier life left: its epoch goes on. Default: a new epoch begins. */
  past?: ResumePast;
  /** What the welcome promises, in milliseconds. */
  heartbeatMs: number;
  /** The status channels there are just now. */
  statusChannels: () => readonly string[];
  /** Whether a client that names no channels gets this status channel. Default: all there are. */
  isOffered?: (channel: string) => boolean;
  /** Where values are read from, flagged as they then stand. */
  values: Pick<ValueStore, "read" | "revision">;
  /**
   * The channels that a backend feeds: only who may read one of them hears of its errors. Default:
   * none is known, and only who may read all hears of them.
   */
  channelsOfBackend?: ChannelsOfBackend;
  /** Tells clients of others that were lost. Default: those of this hub. */
  tellLoss?: (event: ErrorEvent) => void;
  /** Told of a client that left, for other hubs to know it by. Default: nobody is. */
  onDeparture?: (departure: Departure) => void;
  /** Hubs that serve the clients in place of this one. Default: it serves its own. */
  mirror?: HubMirror;
  /** The hub that this one repeats, as it stood. Default: it repeats none. */
  mirrored?: HubRecord;
}

export interface ConnectOptions {
  /** Channels to subscribe to. Default: all the client may read, those to come included. */
  channels?: readonly string[];
  /** Whether the client may have frames of this channel. Default: all. */
  mayRead?: (channel: string) => boolean;
  /** The client's address, for logs. */
  address?: string;
  /** How the token it came with is called, for logs. Default: it came without. */
  tokenName?: string;
  /** Put whatever waits into one text frame, as a list. Default: one frame each. */
  batch?: boolean;
  /** Put values as what changed since the client had the last one. Default: whole. */
  delta?: boolean;
  /** The earlier connection to go on from. Default: none. */
  resume?: Resume;
}

/**
 * The hub: who is connected, who wants what, and frames to all of them. It is told values and
 * errors and knows nothing of backends.
 *
 * @example
 * ```ts
 * using hub = new Hub({ clock, limits, history, heartbeatMs: 10_000, statusChannels, values });
 * const session = hub.connect(transport);
 * hub.broadcast("notification", json({ title: "backup done" }));
 * ```
 */
export class Hub implements Disposable {
  /** What went in and out so far. */
  readonly stats: HubStats = new HubStats();
  /** The way into a stream that several hubs share. */
  readonly stream: SharedStream;
  readonly #clock: Clock;
  readonly #heartbeatMs: number;
  readonly #log: Log = logOf("hub");
  readonly #registry = new Registry();
  readonly #errors = new ErrorCounts();
  readonly #stop = new AbortController();
  readonly #history: History;
  readonly #requests: ClientRequests;
  readonly #valueFrames: ValueFrames;
  readonly #disconnects: Disconnects;
  readonly #shutdownNotice: ShutdownNotice;
  readonly #fanOut: FanOut;
  readonly #host: SessionHost;
  readonly #channelsOf: ChannelsOfBackend;
  readonly #sequence: Sequence;
  readonly #mirror: HubMirror | undefined;
  #keeping: HubKeeping | undefined;
  #writeErrors = 0;

  constructor(options: HubOptions) {
    const { clock, limits, history, heartbeatMs, statusChannels, values } = options;
    const { signal } = this.#stop;
    const registry = this.#registry;
    const { keeper, past, mirrored, mirror } = options;
    // A client of a hub that repeats another may come back to any that does.
    const { isEpochKept = keeper !== undefined || mirrored !== undefined } = options;
    const from = mirrored?.position ??
      (past ? { epoch: past.position.epoch, seq: past.position.upTo } : undefined);
    const sequence = new Sequence({
      isKept: isEpochKept || mirror !== undefined,
      onNumber: () => this.#keeping?.onNumber(),
      ...(from ? { from } : {}),
    });
    if (mirrored?.isShared) sequence.share(mirrored.position);
    this.#sequence = sequence;
    this.#mirror = mirror;
    const errors = this.#errors;
    this.#clock = clock;
    this.#channelsOf = options.channelsOfBackend ?? (() => []);
    this.#heartbeatMs = heartbeatMs;
    this.#history = new History(history);
    this.#valueFrames = new ValueFrames({ values });
    this.#requests = new ClientRequests({
      clock,
      registry,
      errors,
      statusChannels,
      values,
      valueFrames: this.#valueFrames,
      ...(options.isOffered ? { isOffered: options.isOffered } : {}),
    });
    this.#disconnects = new Disconnects({
      clock,
      signal,
      registry,
      errors,
      stats: this.stats,
      rememberForMs: history.maxAgeMs,
      broadcast: options.tellLoss ??
        ((event) => this.broadcast(errorType(event.code), json(event))),
      onRemembered: (id, memory) => {
        this.#keeping?.onDeparture(id, memory);
        options.onDeparture?.(this.stream.departureOf(id, memory));
      },
      onForgotten: (id) => this.#keeping?.onForgotten(id),
    });
    if (keeper) {
      this.#keeping = new HubKeeping({
        clock,
        keeper,
        past,
        sequence,
        history: this.#history,
        remembered: this.#disconnects.remembered,
        channelsOf: this.#channelsOf,
      });
    }
    if (mirrored) this.#goOnFrom(mirrored);
    this.#fanOut = new FanOut({ clock, stats: this.stats });
    this.stream = new SharedStream({
      clock,
      registry,
      errors,
      sequence: this.#sequence,
      history: this.#history,
      disconnects: this.#disconnects,
      stats: this.stats,
      fanOut: this.#fanOut,
      valueFrames: this.#valueFrames,
      channelsOf: this.#channelsOf,
      mirror,
      ...(options.onStreamError ? { onError: options.onStreamError } : {}),
      welcomeAgain: (session, told) => {
        const welcome = this.#welcomeOf(session, { ...told, resumed: undefined });
        this.#requests.welcome(session, { ...welcome, seq: told.seq });
        this.#requests.handOverLatest(session);
      },
    });
    this.#shutdownNotice = new ShutdownNotice({
      clock,
      registry,
      errors,
      disconnects: this.#disconnects,
    });
    const pump = new Pump({ clock, signal });
    const budget = new BufferBudget({
      maxBytes: limits.maxBufferedBytes,
      holders: () => registry.all(),
    });
    this.#host = {
      limits,
      stats: this.stats,
      budget,
      windows: new BatchWindows({ clock, signal, maxEvents: limits.outboxMessages }),
      get numbersMustSpeak() {
        return sequence.outlivesMemory;
      },
      onMessage: (session, message) => this.#requests.answer(session, message),
      onBadMessage: (session, code, why) => this.#requests.sendError(session, code, why),
      onBlocked: (session) => pump.add(session),
      onSlow: (session, why) => this.#disconnects.dropSlow(session, why),
      onEvicted: (session, why) =>
        this.#disconnects.dropSlow(session, why, { withinMs: EVICTED_WITHIN_MS }),
      onWriteError: () => this.#writeErrors += 1,
      onViolation: (session, close) => this.#disconnects.expel(session, close),
    };
    const sweep = new StallSweep({
      clock,
      stallTimeoutMs: limits.stallTimeoutMs,
      sessions: () => registry.all(),
      onStalled: (session, ms) =>
        this.#disconnects.dropSlow(session, `it took nothing for ${Math.round(ms)} ms`),
      onSwept: (now) => budget.swept(now),
    });
    void sweep.run(signal);
  }

  /** Names the numbering in which `seq` counts: this hub's life, or a stream that hubs share. */
  get epoch(): string {
    return this.#sequence.epoch;
  }

  /** Sequence number of the newest broadcast; 0 before the first. */
  get seq(): number {
    return this.#sequence.seq;
  }

  /** Clients connected. */
  get size(): number {
    return this.#mirror?.clients ?? this.#registry.size;
  }

  errorMetrics(): ErrorMetrics {
    return {
      total_clients: this.size,
      error_count: this.#errors.total,
      slow_client_drops: this.#disconnects.slowClientDrops,
      read_errors: this.#disconnects.readErrors,
      write_errors: this.#writeErrors,
      errors_by_code: this.#errors.byCode(),
    };
  }

  /** What waits for all clients together, as it stands. */
  backlog(): Backlog {
    return backlogOf(this.#registry.all());
  }

  /**
   * Takes in a client: it is welcomed, gets what it missed if it resumes, and the latest value of
   * each channel it wants. All in one go, so that no broadcast comes between or twice.
   */
  connect(transport: Transport, options: ConnectOptions = {}): Session {
    const now = this.#clock.now();
    const { channels, mayRead, address, tokenName, batch = false, delta = false, resume } = options;
    const resumed = resume && this.#resume(resume);
    const session = new Session({
      id: crypto.randomUUID(),
      transport,
      host: this.#host,
      now,
      batch,
      delta,
      wantsAll: channels === undefined,
      progress: { events: this.seq, errors: this.seq },
      ...(mayRead ? { mayRead } : {}),
      ...(address === undefined ? {} : { address }),
      ...(tokenName === undefined ? {} : { tokenName }),
    });
    this.#registry.add(session);
    this.stats.opened += 1;
    const refused = this.#requests.admit(session, channels);
    const missed = resumed?.progress &&
      this.#history.missedSince(resumed.progress, (type) => session.subscriptions.wants(type), now);
    const recovered = missed?.complete === true;
    const gap = resumed !== undefined && !recovered;
    if (recovered) this.stats.recovered += 1;
    else if (gap) this.stats.gaps += 1;
    const since = resume?.since ?? 0;
    // Until it has got what it missed, it may name no number that would hide that.
    const frames = missed?.complete ? missed.frames.filter((each) => session.mayHave(each)) : [];
    const seq = frames.length > 0 ? since : this.seq;
    const welcome = { ...this.#welcomeOf(session, { recovered, gap, resumed }), seq };
    const { events, errors } = recovered && resumed?.progress || { events: seq, errors: seq };
    this.#requests.welcome(session, welcome, {
      refused,
      resumeFrom: Math.min(seq, events, errors),
    });
    if (missed?.complete && resumed?.progress) {
      if (frames.length > 0) session.replay(frames, resumed.progress, [since]);
      else if (events !== since || errors !== since) session.keepNamed(since);
    }
    if (resume) this.stream.onResumed(session, resume, { recovered });
    this.#requests.handOverLatest(session);
    this.#shutdownNotice.onConnected(session);
    session.flush(now);
    this.#log.info("client.connected", {
      ...session.logFields,
      channels: session.wantsAll ? "all" : session.subscriptions.channels.join(","),
      ...(resume ? { resumed: resume.session, recovered, gap } : {}),
      clients: this.#registry.size,
    });
    return session;
  }

  /** Tells the hub that a client's connection ended. Late or repeated calls change nothing. */
  disconnected(session: Session, end: TransportEnd): void {
    this.#disconnects.gone(session, end);
  }

  /** A clean end told to {@linkcode Hub.disconnected} was none after all; call it once. */
  wasLostAfterAll(session: Session, why: string): void {
    this.#disconnects.wasLostAfterAll(session, why);
  }

  /** Ends a client that broke a rule outside of its messages. */
  expel(session: Session, close: CloseName): void {
    this.#disconnects.expel(session, close);
  }

  /**
   * Gives a client other rights than it came with. What it may not read any more is unsubscribed,
   * and it is told what is left. Returns whether it lost any.
   */
  changeRights(session: Session, rights: Pick<ConnectOptions, "mayRead" | "tokenName">): boolean {
    session.changeRights(rights);
    return this.#requests.unsubscribeForbidden(session);
  }

  /** Subscribes the clients that want everything to channels that have come to be. */
  channelsChanged(): void {
    this.#mirror?.channelsChanged();
    this.stats.keepOnly([...this.#requests.channels(), ...RESERVED_TYPES]);
    for (const session of this.#registry.all()) this.#requests.catchUp(session);
  }

  /**
   * Sends data of one type to every client of this hub that wants it. Returns its sequence number;
   * while numbers come from a shared stream, which knows nothing of this, the newest of those.
   */
  broadcast(type: string, data: JsonText): number {
    return this.#broadcast(type, data, (frame) => frame);
  }

  #broadcast(type: string, data: JsonText, mark: (frame: EncodedFrame) => EncodedFrame): number {
    const numbered = {
      type,
      data,
      timestamp: this.#clock.unixSeconds(),
      seq: this.#sequence.next(),
    };
    this.#mirror?.broadcast(numbered);
    return this.#send(numbered, mark);
  }

  #send(numbered: NumberedFrame, mark: (frame: EncodedFrame) => EncodedFrame): number {
    const { type, data, timestamp, seq } = numbered;
    this.stats.broadcasts += 1;
    const groups = this.#registry.wanting(type);
    const isKept = type === EVENT_CHANNEL || isErrorType(type);
    if (groups.size === 0 && !isKept) return this.seq;
    const frame = mark(encodeFrame(type, data, timestamp, seq));
    if (isKept && seq !== undefined) this.#keeping?.onFrame({ type, seq, timestamp, data });
    if (isKept) this.#history.add(frame, this.#clock.now());
    if (seq === undefined && type === EVENT_CHANNEL) this.#history.lacks(this.seq);
    this.#fanOut.send(frame, groups);
    return this.seq;
  }

  /** The latest events, newest first: for who was not there when they were told. */
  get recentEvents(): readonly EncodedFrame[] {
    return this.#history.recentEvents;
  }

  /** Sends a status channel's value, as it stands, to every client of this hub that wants it. */
  value(channel: string, status: StatusData<JsonText>): number {
    const place = { timestamp: this.#clock.unixSeconds(), seq: this.#sequence.next() };
    this.#mirror?.value(channel, status, place);
    return this.#sendValue(channel, status, place);
  }

  #sendValue(channel: string, status: StatusData<JsonText>, place: NumberedPlace): number {
    this.stats.broadcasts += 1;
    const groups = this.#registry.wanting(channel);
    if (groups.size === 0) return this.seq;
    const wantsDelta = this.#registry.wantsDelta(channel);
    const { timestamp, seq } = place;
    const told = { timestamp, seq, wantsDelta };
    this.#fanOut.send(this.#valueFrames.broadcast(channel, status, told), groups);
    return this.seq;
  }

  /** Sends what the hub has sent that this one repeats. */
  repeat(frame: NumberedFrame): void {
    if (frame.seq !== undefined) this.#sequence.reach(frame.seq);
    this.#send(
      frame,
      (encoded) =>
        isErrorType(frame.type)
          ? aboutSubject(encoded, (JSON.parse(frame.data) as ErrorEvent).data, this.#channelsOf)
          : encoded,
    );
  }

  /** Sends a value as the hub did that this one repeats. */
  repeatValue(channel: string, status: StatusData<JsonText>, place: NumberedPlace): void {
    if (place.seq !== undefined) this.#sequence.reach(place.seq);
    this.#sendValue(channel, status, place);
  }

  /** A client left one of the hubs that serve in place of this one. */
  learn(departure: Departure): void {
    this.stream.learn(departure);
    const memory = this.#disconnects.recall(departure.session);
    if (memory !== undefined) this.#keeping?.onDeparture(departure.session, memory);
  }

  /** What a hub needs that is to repeat this one from now on. */
  toRecord(): HubRecord {
    const { remembered, forgottenUpTo } = this.#disconnects;
    const { position, isShared } = this.#sequence;
    return {
      position,
      isShared,
      history: this.#history.toRecord(),
      departed: remembered.all().map(([session, { closedWith, progress }, at]) => ({
        session,
        at,
        progress: progress.toRecord(),
        ...(closedWith === undefined ? {} : { closedWith }),
      })),
      forgottenUpTo,
    };
  }

  #goOnFrom({ history, departed, forgottenUpTo }: HubRecord): void {
    this.#history.restore(history);
    this.#disconnects.remembered.restore(
      departed.map(({ session, closedWith, progress, at }) => [
        session,
        {
          progress: DeliveryLog.fromRecord(progress),
          ...(closedWith === undefined ? {} : { closedWith }),
        },
        at,
      ]),
      forgottenUpTo,
    );
  }

  /** Tells every client of an error that subscribed to it and may know of it, and counts it. */
  error(event: ErrorEvent): number {
    this.#errors.add(event.code);
    return this.#broadcast(
      errorType(event.code),
      json(event),
      (frame) => aboutSubject(frame, event.data, this.#channelsOf),
    );
  }

  /**
   * Tells every client, whatever it subscribed to, that the hub is going down, each with its own
   * time to come back.
   *
   * @param deadlineMs Until then the hub keeps sending what waits.
   * @param reconnectWithinMs The clients come back spread over this time.
   */
  announceShutdown(deadlineMs: number, reconnectWithinMs: number): void {
    this.#shutdownNotice.announce(deadlineMs, reconnectWithinMs);
  }

  /**
   * Closes, for a shutdown, every client that has taken all its frames; with `force` every client.
   * Returns how many are left.
   */
  closeFlushed(options: { force?: boolean } = {}): number {
    return this.#shutdownNotice.closeFlushed(options);
  }

  /**
   * Begins a new epoch, as what was kept of this one may be taken for all there was. Nothing happens
   * where nothing is kept.
   */
  beginEpoch(): void {
    if (this.#keeping === undefined) return;
    this.stream.beginEpoch();
    this.#keeping.onEpoch();
  }

  /** Gives a keeper all there is, as one that has to begin anew needs it. */
  keepAll(keeper: ResumeKeeper): void {
    this.#keeping?.keepAll(keeper);
  }

  /** No number is given out any more: another life of the hub goes on right after the last one. */
  endNumbering(): void {
    this.#keeping?.end();
  }

  /** Stops the hub's own loops. Clients are not closed: see {@linkcode closeFlushed}. */
  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  #resume(resume: Resume): Resumed {
    const { session: id } = resume;
    // The earlier connection may not have been missed yet: then it is still among the clients.
    const memory = id === undefined
      ? undefined
      : this.#disconnects.recall(id) ?? this.#registry.get(id);
    const { forgottenUpTo } = this.#disconnects;
    const { epoch, seq, stream: { mayBeAheadBy } } = this;
    const numbersSpeak = this.#sequence.outlivesMemory;
    return resumeFrom(resume, { epoch, seq, memory, forgottenUpTo, numbersSpeak, mayBeAheadBy });
  }

  #welcomeOf(session: Session, { recovered, gap, resumed }: Reunion): WelcomeData {
    const previous_close = resumed?.closedWith;
    return {
      session: session.id,
      epoch: this.epoch,
      seq: this.seq,
      channels: session.subscriptions.channels,
      heartbeat_ms: this.#heartbeatMs,
      recovered,
      gap,
      ...(previous_close === undefined ? {} : { previous_close }),
    };
  }
}

interface Reunion {
  readonly recovered: boolean;
  readonly gap: boolean;
  readonly resumed: Resumed | undefined;
}
