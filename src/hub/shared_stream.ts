import { type EncodedFrame, encodeFrame, type JsonText } from "../protocol/codec.ts";
import type { ErrorCode, ErrorEvent } from "../protocol/error_event.ts";
import type { StatusData } from "../protocol/status_data.ts";
import { aboutSubjectIn, type ChannelsOfBackend, errorIn } from "../protocol/error_subject.ts";
import type { Clock } from "../resilience/clock.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import type { ErrorCounts } from "./error_counts.ts";
import type { Disconnects } from "./disconnects.ts";
import type { FanOut } from "./delivery/fan_out.ts";
import type { ValueFrames } from "./delivery/value_frames.ts";
import type { HubMirror } from "./hub_mirror.ts";
import type { Departure, FollowStreamOptions, SharedFrame } from "./shared_frame.ts";
import { ClientsAhead, MAX_AHEAD, type Start } from "./clients_ahead.ts";
import { type History, isKeptType } from "./resume/history.ts";
import type { Memory } from "./resume/disconnected_sessions.ts";
import { DeliveryLog } from "./resume/delivery_log.ts";
import type { Sequence, StreamPosition } from "./resume/sequence.ts";
import type { Registry } from "./registry.ts";
import type { Resume } from "./resume/resume.ts";
import type { Session } from "./session.ts";
import type { HubStats } from "./hub_stats.ts";

export type { Departure, FollowStreamOptions, SharedFrame };

/** What an error says that stands in the stream, the same on every hub. */
export interface StreamError {
  readonly data: ErrorEvent["data"];
  readonly details: string | undefined;
  /** Unix seconds. */
  readonly timestamp: number;
}

export interface SharedStreamOptions {
  clock: Clock;
  sequence: Sequence;
  history: History;
  registry: Registry;
  disconnects: Disconnects;
  errors: ErrorCounts;
  stats: HubStats;
  fanOut: FanOut;
  valueFrames: ValueFrames;
  channelsOf: ChannelsOfBackend;
  /** Hubs that repeat all of this to their clients. Default: there are none. */
  mirror?: HubMirror | undefined;
  /** Told of an error that the stream says, once it was sent. Default: nobody is. */
  onError?: (code: ErrorCode, told: StreamError) => void;
  /** Says hello to a client again: its numbering is another one from now on. */
  welcomeAgain: (session: Session, told: WelcomedAgain) => void;
}

/** What a client is told that is welcomed again. */
export interface WelcomedAgain {
  readonly recovered: boolean;
  readonly gap: boolean;
  /** How far it has got. */
  readonly seq: number;
}

/**
 * The hub's place among several that share one stream: it sends what the stream says under the
 * stream's numbers, so that a client can go on from any hub. A hub by itself never uses this.
 */
export class SharedStream {
  readonly #options: SharedStreamOptions;
  readonly #log: Log = logOf("hub");
  readonly #clientsAhead = new ClientsAhead();
  /** What was kept of the stream when the hub left it. */
  #aside: { readonly epoch: string; readonly history: History } | undefined;
  /** Clients that came back while the hub was alone, with all it had said until then. */
  #resumedAlone = new WeakSet<Session>();

  constructor(options: SharedStreamOptions) {
    this.#options = options;
  }

  /** Whether the hub goes with a stream that others share. */
  get isFollowing(): boolean {
    return this.#options.sequence.isShared;
  }

  /** Whether what clients of this epoch may ask for is still here. */
  remembers(epoch: string): boolean {
    const { sequence } = this.#options;
    return (sequence.isShared ? sequence.epoch : this.#aside?.epoch) === epoch;
  }

  /** How many clients there have been so far: tells who was here at this moment. */
  get clientsSoFar(): number {
    const { mirror, stats } = this.#options;
    return mirror ? mirror.mark() : stats.opened;
  }

  /** How far a client may be ahead of this hub. */
  get mayBeAheadBy(): number {
    return this.#options.sequence.isShared ? MAX_AHEAD : 0;
  }

  /**
   * Goes on in the stream's numbering from this position. If it is another than before, or if
   * there is a gap, every client is welcomed anew, as if it had come back.
   */
  follow(position: StreamPosition, options: FollowStreamOptions): void {
    const { startsAfter, hasGap, writtenUpTo, heardAloneBefore = 0 } = options;
    const { sequence, history, mirror } = this.#options;
    mirror?.follow(position, options);
    const wasAlone = !sequence.isShared;
    const isSame = sequence.isShared && sequence.epoch === position.epoch;
    if (writtenUpTo !== undefined) this.#clientsAhead.joins(writtenUpTo);
    sequence.share(position);
    if (isSame && !hasGap) return;
    const aside = this.#aside;
    this.#aside = undefined;
    if (aside?.epoch === position.epoch && !hasGap) history.takeBack(aside.history);
    else history.restart(startsAfter);
    this.#startOver(hasGap, (session) => {
      const start = this.#clientsAhead.start(session, position, isSame);
      // It is not known what a client that came back while the hub was alone had heard before.
      const isUnclear = session.ordinal < heardAloneBefore ||
        wasAlone && this.#resumedAlone.has(session);
      return isUnclear ? { ...start, hasGap: true } : start;
    });
  }

  /** Numbers by itself again: in a new epoch, unless another hub says in which. */
  leave(position?: StreamPosition): void {
    const { sequence, history, mirror } = this.#options;
    if (sequence.isShared) {
      this.#clientsAhead.leave(sequence.epoch);
      this.#aside = { epoch: sequence.epoch, history: history.setAside() };
      this.#resumedAlone = new WeakSet();
    } else if (position === undefined) return;
    sequence.standAlone(position);
    mirror?.leave(sequence.position);
    history.restart(0);
    this.#startOver(false, () => ({ seq: sequence.seq, hasGap: false }));
  }

  /** A hub by itself begins a new epoch; its clients are welcomed anew, and have missed nothing. */
  beginEpoch(): void {
    if (!this.isFollowing) this.leave({ epoch: crypto.randomUUID(), seq: 0 });
  }

  /**
   * Sends a frame of the stream to every client that wants it.
   *
   * @param options.hadBefore Clients that came before this one, as they are counted, have had it.
   */
  relay(
    shared: SharedFrame,
    { hadBefore = 0 }: { hadBefore?: number } = {},
  ): void {
    const { type, data, status, timestamp, seq, code } = shared;
    this.#options.mirror?.relay(shared, { hadBefore });
    const { clock, sequence, registry, history, errors, stats, fanOut, valueFrames } =
      this.#options;
    sequence.reach(seq);
    stats.broadcasts += 1;
    if (code !== undefined) {
      errors.add(code);
      this.#options.onError?.(code, { ...errorIn(data), timestamp });
    }
    const isKept = isKeptType(type);
    const groups = registry.wanting(type);
    if (groups.size === 0 && !isKept) return;
    const wantsDelta = registry.wantsDelta(type);
    const frame = status === undefined
      ? this.#encode({ type, data, timestamp, seq })
      : valueFrames.broadcast(type, status, { timestamp, seq, wantsDelta });
    if (isKept) history.add(frame, clock.now());
    // Values are not suppressed: the one handed over on connecting may be older than this one.
    if (isKept && hadBefore > 0) {
      const wanting = this.#clientsAhead.wanting(groups, seq);
      fanOut.send(frame, [wanting.filter((session) => !this.#wasThere(session, hadBefore))]);
      return;
    }
    const isHadBySome = isKept && !this.#clientsAhead.isEmpty;
    fanOut.send(frame, isHadBySome ? [this.#clientsAhead.wanting(groups, seq)] : groups);
  }

  /** Sends a value of the stream, as it stands here, to every client that wants it. */
  relayValue(
    status: StatusData<JsonText>,
    { type, seq }: Pick<SharedFrame, "type" | "seq">,
  ): void {
    // Its age is told as of now, not as of when it was written.
    const timestamp = this.#options.clock.unixSeconds();
    this.relay({ type, seq, timestamp, data: status.data, status });
  }

  /** Keeps a frame for clients that resume; those that are here have had it. */
  remember(frame: SharedFrame): void {
    const { type, data, timestamp, seq } = frame;
    this.#options.mirror?.remember(frame);
    if (!isKeptType(type)) return;
    const { clock, history } = this.#options;
    history.add(this.#encode({ type, data, timestamp, seq }), clock.now());
  }

  #encode({ type, data, timestamp, seq }: SharedFrame): EncodedFrame {
    const frame = encodeFrame(type, data, timestamp, seq);
    return aboutSubjectIn(frame, data, this.#options.channelsOf);
  }

  /** A client came that was connected before, perhaps to another hub. */
  onResumed(session: Session, resume: Resume, { recovered }: { recovered: boolean }): void {
    const { since = 0 } = resume;
    if (!this.isFollowing) {
      this.#clientsAhead.noteArrival(session, resume);
      if (recovered) this.#resumedAlone.add(session);
    } else if (recovered && since > this.#options.sequence.seq) {
      this.#clientsAhead.note(session, since);
    }
  }

  /** What the other hubs should know of a client that left this one. */
  departureOf(session: string, { closedWith, progress }: Memory): Departure {
    const { epoch } = this.#options.sequence;
    return {
      session,
      epoch,
      ...(closedWith === undefined ? {} : { closedWith }),
      progress: progress.toRecord(),
    };
  }

  /** A client left another hub, and may come to this one. */
  learn(departure: Departure): void {
    const { session, epoch, closedWith, progress } = departure;
    this.#options.mirror?.learn(departure);
    const isOurs = epoch === this.#options.sequence.epoch;
    this.#options.disconnects.rememberStranger(session, {
      ...(closedWith === undefined ? {} : { closedWith }),
      progress: isOurs
        ? DeliveryLog.fromRecord(progress)
        : new DeliveryLog({ events: 0, errors: 0 }),
    });
  }

  #wasThere(session: Session, hadBefore: number): boolean {
    return session.ordinal < hadBefore || this.#resumedAlone.has(session);
  }

  #startOver(hasGap: boolean, startOf: (session: Session) => Start): void {
    const { sequence, disconnects, registry, stats, welcomeAgain } = this.#options;
    const { epoch, seq } = sequence;
    disconnects.renumber();
    let gaps = 0;
    for (const session of registry.all()) {
      const start = startOf(session);
      const gap = session.renumber(start.seq) || start.hasGap || hasGap;
      if (gap) gaps += 1;
      welcomeAgain(session, { recovered: !gap, gap, seq: start.seq });
    }
    stats.gaps += gaps;
    this.#log.info("hub.numbering_changed", { epoch, seq, clients: registry.size, gaps });
  }
}
