import type { StreamPosition } from "./resume/sequence.ts";
import type { Resume } from "./resume/resume.ts";
import type { Session } from "./session.ts";

/**
 * Frames a client may be ahead of this hub in the shared stream, having come from a quicker one.
 * More is not accepted: the client is told of a gap.
 */
export const MAX_AHEAD = 1000;

/** Where a client begins in a numbering. */
export interface Start {
  /** It has everything up to this number. */
  readonly seq: number;
  /** It may lack something before that. */
  readonly hasGap: boolean;
}

/**
 * Clients that had got further in the shared stream on another hub than this one has come: they
 * must not be sent twice what they have had. Also what those had that came while this hub did for
 * itself, for it may go back to the very stream they come from.
 */
export class ClientsAhead {
  readonly #ahead = new Map<Session, number>();
  /** Clients that came while the hub was not in the stream, with what they said. */
  #arrivals = new WeakMap<Session, Resume>();
  /** The epoch in which the hub was last in the stream. */
  #left: string | undefined;
  /** Up to this number the stream was written before the hub came to it. */
  #writtenUpTo = 0;

  /** Whether anybody is ahead. */
  get isEmpty(): boolean {
    return this.#ahead.size === 0;
  }

  /** A client has got this far in the stream that the hub follows. */
  note(session: Session, seq: number): void {
    this.#ahead.set(session, seq);
  }

  /** A client came while the hub does not follow the stream. */
  noteArrival(session: Session, resume: Resume): void {
    this.#arrivals.set(session, resume);
  }

  /** The hub leaves the stream. Its clients have what it has, those that are ahead more. */
  leave(epoch: string): void {
    this.#left = epoch;
    this.#writtenUpTo = 0;
    this.#arrivals = new WeakMap();
    for (const [session, since] of this.#ahead) this.#arrivals.set(session, { epoch, since });
    this.#ahead.clear();
  }

  /** The hub comes to the stream, of which so much was written without it. */
  joins(writtenUpTo: number): void {
    this.#writtenUpTo = writtenUpTo;
  }

  /** Where a client begins, now that the hub goes on from this position; notes a client that is ahead. */
  start(session: Session, { epoch, seq }: StreamPosition, isSameEpoch: boolean): Start {
    const start = this.#startOf(session, { epoch, seq }, isSameEpoch);
    if (start.seq > seq) this.#ahead.set(session, start.seq);
    else this.#ahead.delete(session);
    return start;
  }

  /** Those of a group that have not had the frame of this number. */
  wanting(groups: Iterable<Iterable<Session>>, seq: number): Session[] {
    const sessions = [...groups].flatMap((group) => [...group]);
    const wanting = sessions.filter((session) => (this.#ahead.get(session) ?? 0) < seq);
    for (const [session, reached] of this.#ahead) {
      if (reached <= seq || session.hasEnded) this.#ahead.delete(session);
    }
    return wanting;
  }

  #startOf(session: Session, { epoch, seq }: StreamPosition, isSameEpoch: boolean): Start {
    const reached = isSameEpoch ? this.#ahead.get(session) : undefined;
    if (reached !== undefined) return { seq: Math.max(seq, reached), hasGap: false };
    const arrival = this.#arrivals.get(session);
    const isNews = seq < this.#writtenUpTo;
    if (arrival === undefined || !isNews) return { seq, hasGap: false };
    const { since = NaN } = arrival;
    if (arrival.epoch === epoch) {
      if (since <= this.#writtenUpTo + MAX_AHEAD) {
        return { seq: Math.max(seq, since), hasGap: false };
      }
    } else if (arrival.epoch !== undefined && arrival.epoch === this.#left) {
      // What it had of the epoch that the hub has left, the hub has had as well.
      return { seq, hasGap: false };
    }
    // It may have had any of what was written meanwhile: better a gap than the same thing twice.
    return { seq: this.#writtenUpTo, hasGap: true };
  }
}
