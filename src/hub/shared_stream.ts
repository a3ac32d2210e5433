import { EVENT_CHANNEL, isErrorType } from "../protocol/channel.ts";
import { encodeFrame, type JsonText } from "../protocol/codec.ts";
import type { ErrorCode } from "../protocol/error_event.ts";
import type { Clock } from "../resilience/clock.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import type { ErrorCounts } from "./error_counts.ts";
import type { Exits } from "./exits.ts";
import type { FanOut } from "./fan_out.ts";
import { HeadStarts, MAX_AHEAD, type Start } from "./head_starts.ts";
import type { History } from "./history.ts";
import type { Memory } from "./departed.ts";
import { ProgressLog, type ProgressRecord } from "./progress_log.ts";
import type { Numbering, Position } from "./numbering.ts";
import type { Registry } from "./registry.ts";
import type { Resume } from "./resume.ts";
import type { Session } from "./session.ts";
import type { Traffic } from "./traffic.ts";

/** A broadcast of the shared stream, as every hub that follows it sends it. */
export interface SharedFrame {
  readonly type: string;
  readonly data: JsonText;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly seq: number;
  /** The code of an error frame. */
  readonly code?: ErrorCode;
}

/** A client that left one of the hubs, for the others to know when it comes to them. */
export interface Departure {
  readonly session: string;
  /** In which its numbers count. */
  readonly epoch: string;
  /** Why the hub ended it, where it did. */
  readonly closedWith?: ErrorCode;
  readonly progress: ProgressRecord;
}

export interface FollowOptions {
  /** Frames of this numbering up to this one will never come here. */
  startsAfter: number;
  /** Something may have been said that this hub's clients will not hear. */
  hasGap: boolean;
  /**
   * The hub comes to the stream, and what follows up to this number was said before it came. Default:
   * it was there already.
   */
  writtenUpTo?: number;
}

export interface SharedStreamOptions {
  clock: Clock;
  numbering: Numbering;
  history: History;
  registry: Registry;
  exits: Exits;
  errors: ErrorCounts;
  traffic: Traffic;
  fanOut: FanOut;
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
  readonly #headStarts = new HeadStarts();

  constructor(options: SharedStreamOptions) {
    this.#options = options;
  }

  /** Whether the hub goes with a stream that others share. */
  get isFollowing(): boolean {
    return this.#options.numbering.isShared;
  }

  /** How far a client may be ahead of this hub. */
  get mayBeAheadBy(): number {
    return this.#options.numbering.isShared ? MAX_AHEAD : 0;
  }

  /**
   * Goes on in the stream's numbering from this position. If it is another than before, or if
   * there is a gap, every client is welcomed anew, as if it had come back.
   */
  follow(position: Position, { startsAfter, hasGap, writtenUpTo }: FollowOptions): void {
    const { numbering, history } = this.#options;
    const isSame = numbering.isShared && numbering.epoch === position.epoch;
    if (writtenUpTo !== undefined) this.#headStarts.joins(writtenUpTo);
    numbering.share(position);
    if (isSame && !hasGap) return;
    history.restart(startsAfter);
    this.#startOver(hasGap, (session) => this.#headStarts.start(session, position, isSame));
  }

  /** Numbers by itself again, in a new epoch. */
  leave(): void {
    const { numbering, history } = this.#options;
    if (!numbering.isShared) return;
    this.#headStarts.leave(numbering.epoch);
    numbering.standAlone();
    history.restart(0);
    this.#startOver(false, () => ({ seq: numbering.seq, hasGap: false }));
  }

  /** Sends a frame of the stream to every client that wants it. */
  relay({ type, data, timestamp, seq, code }: SharedFrame): void {
    const { clock, numbering, registry, history, errors, traffic, fanOut } = this.#options;
    numbering.reach(seq);
    traffic.broadcasts += 1;
    if (code !== undefined) errors.add(code);
    const isKept = type === EVENT_CHANNEL || isErrorType(type);
    const cohorts = registry.wanting(type);
    if (cohorts.size === 0 && !isKept) return;
    const frame = encodeFrame(type, data, timestamp, seq);
    if (isKept) history.add(frame, clock.now());
    // Values are not suppressed: the one handed over on connecting may be older than this one.
    const isHadBySome = isKept && !this.#headStarts.isEmpty;
    fanOut.send(frame, isHadBySome ? [this.#headStarts.wanting(cohorts, seq)] : cohorts);
  }

  /** Keeps a frame for clients that resume; those that are here have had it. */
  remember({ type, data, timestamp, seq }: SharedFrame): void {
    const isKept = type === EVENT_CHANNEL || isErrorType(type);
    const { clock, history } = this.#options;
    if (isKept) history.add(encodeFrame(type, data, timestamp, seq), clock.now());
  }

  /** A client came that was connected before, perhaps to another hub. */
  onResumed(session: Session, resume: Resume, { recovered }: { recovered: boolean }): void {
    const { since = 0 } = resume;
    if (!this.isFollowing) this.#headStarts.noteArrival(session, resume);
    else if (recovered && since > this.#options.numbering.seq) {
      this.#headStarts.note(session, since);
    }
  }

  /** What the other hubs should know of a client that left this one. */
  departureOf(session: string, { closedWith, progress }: Memory): Departure {
    const { epoch } = this.#options.numbering;
    return {
      session,
      epoch,
      ...(closedWith === undefined ? {} : { closedWith }),
      progress: progress.toRecord(),
    };
  }

  /** A client left another hub, and may come to this one. */
  learn({ session, epoch, closedWith, progress }: Departure): void {
    const isOurs = epoch === this.#options.numbering.epoch;
    this.#options.exits.rememberStranger(session, {
      ...(closedWith === undefined ? {} : { closedWith }),
      progress: isOurs
        ? ProgressLog.fromRecord(progress)
        : new ProgressLog({ events: 0, errors: 0 }),
    });
  }

  #startOver(hasGap: boolean, startOf: (session: Session) => Start): void {
    const { numbering: { epoch, seq }, exits, registry, traffic, welcomeAgain } = this.#options;
    exits.renumber();
    let gaps = 0;
    for (const session of registry.all()) {
      const start = startOf(session);
      const gap = session.renumber(start.seq) || start.hasGap || hasGap;
      if (gap) gaps += 1;
      welcomeAgain(session, { recovered: !gap, gap, seq: start.seq });
    }
    traffic.gaps += gaps;
    this.#log.info("hub.numbering_changed", { epoch, seq, clients: registry.size, gaps });
  }
}
