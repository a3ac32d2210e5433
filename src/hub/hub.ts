import { RESERVED_TYPES } from "../protocol/channel.ts";
import type { CloseName } from "../protocol/close_code.ts";
import { type EncodedFrame, json, type JsonText } from "../protocol/codec.ts";
import { type ErrorEvent, errorType } from "../protocol/error_event.ts";
import type { StatusData } from "../protocol/status_data.ts";
import { Broadcasts } from "./broadcasts.ts";
import { ClientRequests } from "./client_requests.ts";
import { type ConnectOptions, Connects } from "./connects.ts";
import { type Backlog, backlogOf } from "./delivery/backlog.ts";
import { FanOut } from "./delivery/fan_out.ts";
import type { Transport } from "./delivery/transport.ts";
import { ValueFrames } from "./delivery/value_frames.ts";
import { Disconnects, type TransportEnd } from "./disconnects.ts";
import { ErrorCounts, type ErrorMetrics } from "./error_counts.ts";
import type { HubMirror, NumberedFrame, NumberedPlace } from "./hub_mirror.ts";
import type { HubOptions } from "./hub_options.ts";
import { HubStats } from "./hub_stats.ts";
import { Registry } from "./registry.ts";
import type { ResumeKeeper } from "./resume/resume_keeper.ts";
import { type HubRecord, ResumeState } from "./resume/resume_state.ts";
import type { Session } from "./session.ts";
import { HubSessionHost } from "./session_host.ts";
import { type Departure, SharedStream } from "./shared_stream.ts";
import { ShutdownNotice } from "./shutdown_notice.ts";

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
  readonly #registry = new Registry();
  readonly #errors = new ErrorCounts();
  readonly #stop = new AbortController();
  readonly #requests: ClientRequests;
  readonly #broadcasts: Broadcasts;
  readonly #connects: Connects;
  readonly #disconnects: Disconnects;
  readonly #shutdownNotice: ShutdownNotice;
  readonly #host: HubSessionHost;
  readonly #resume: ResumeState;
  readonly #mirror: HubMirror | undefined;

  constructor(options: HubOptions) {
    const { clock, limits, heartbeatMs, statusChannels, values } = options;
    const { keeper, past, mirrored, mirror, channelsOfBackend: channelsOf = () => [] } = options;
    const { signal } = this.#stop;
    const registry = this.#registry;
    const errors = this.#errors;
    const stats = this.stats;
    const resume = new ResumeState({
      clock,
      history: options.history,
      channelsOf,
      isEpochKept: mirror === undefined ? options.isEpochKept : true,
      keeper,
      past,
      mirrored,
    });
    const { sequence, history, remembered } = resume;
    const valueFrames = new ValueFrames({ values });
    const fanOut = new FanOut({ clock, stats });
    const requests = new ClientRequests({
      clock,
      registry,
      errors,
      statusChannels,
      values,
      valueFrames,
      ...(options.isOffered ? { isOffered: options.isOffered } : {}),
    });
    const disconnects = new Disconnects({
      clock,
      signal,
      registry,
      errors,
      stats,
      remembered,
      broadcast: options.tellLoss ??
        ((event) => this.broadcast(errorType(event.code), json(event))),
      onRemembered: (id, memory) => {
        resume.onDeparture(id, memory);
        options.onDeparture?.(this.stream.departureOf(id, memory));
      },
    });
    // What both ways of speaking need: the hub's own numbers, and those of a shared stream.
    const said = { clock, registry, sequence, history, stats, fanOut, valueFrames, channelsOf };
    this.#broadcasts = new Broadcasts({
      ...said,
      mirror,
      onKept: (frame) => resume.onFrame(frame),
    });
    this.stream = new SharedStream({
      ...said,
      errors,
      disconnects,
      mirror,
      ...(options.onStreamError ? { onError: options.onStreamError } : {}),
      welcomeAgain: (session, told) => this.#connects.welcomeAgain(session, told),
    });
    const host = new HubSessionHost({
      clock,
      signal,
      limits,
      stats,
      registry,
      sequence,
      requests,
      disconnects,
    });
    const shutdownNotice = new ShutdownNotice({ clock, registry, errors, disconnects });
    this.#connects = new Connects({
      clock,
      host,
      registry,
      requests,
      sequence,
      history,
      disconnects,
      stream: this.stream,
      shutdownNotice,
      stats,
      heartbeatMs,
    });
    this.#resume = resume;
    this.#mirror = mirror;
    this.#requests = requests;
    this.#disconnects = disconnects;
    this.#host = host;
    this.#shutdownNotice = shutdownNotice;
  }

  /** Names the numbering in which `seq` counts: this hub's life, or a stream that hubs share. */
  get epoch(): string {
    return this.#resume.sequence.epoch;
  }

  /** Sequence number of the newest broadcast; 0 before the first. */
  get seq(): number {
    return this.#resume.sequence.seq;
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
      write_errors: this.#host.writeErrors,
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
    return this.#connects.connect(transport, options);
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
    return this.#broadcasts.data(type, data);
  }

  /** The latest events, newest first: for who was not there when they were told. */
  get recentEvents(): readonly EncodedFrame[] {
    return this.#resume.history.recentEvents;
  }

  /** Sends a status channel's value, as it stands, to every client of this hub that wants it. */
  value(channel: string, status: StatusData<JsonText>): number {
    return this.#broadcasts.value(channel, status);
  }

  /** Sends what the hub has sent that this one repeats. */
  repeat(frame: NumberedFrame): void {
    this.#broadcasts.repeat(frame);
  }

  /** Sends a value as the hub did that this one repeats. */
  repeatValue(channel: string, status: StatusData<JsonText>, place: NumberedPlace): void {
    this.#broadcasts.repeatValue(channel, status, place);
  }

  /** A client left one of the hubs that serve in place of this one. */
  learn(departure: Departure): void {
    this.stream.learn(departure);
    const memory = this.#disconnects.recall(departure.session);
    if (memory !== undefined) this.#resume.onDeparture(departure.session, memory);
  }

  /** What a hub needs that is to repeat this one from now on. */
  toRecord(): HubRecord {
    return this.#resume.toRecord();
  }

  /** Tells every client of an error that subscribed to it and may know of it, and counts it. */
  error(event: ErrorEvent): number {
    this.#errors.add(event.code);
    return this.#broadcasts.error(event);
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
    if (!this.#resume.isKept) return;
    this.stream.beginEpoch();
    this.#resume.onEpoch();
  }

  /** Gives a keeper all there is, as one that has to begin anew needs it. */
  keepAll(keeper: ResumeKeeper): void {
    this.#resume.keepAll(keeper);
  }

  /** No number is given out any more: another life of the hub goes on right after the last one. */
  endNumbering(): void {
    this.#resume.end();
  }

  /** Stops the hub's own loops. Clients are not closed: see {@linkcode closeFlushed}. */
  [Symbol.dispose](): void {
    this.#stop.abort();
  }
}
