import type { EncodedFrame } from "../../protocol/codec.ts";
import type { DeliveryProgress } from "./history.ts";

/**
 * Frames out of turn that are remembered for one client, some 20 KB. When full, the oldest goes: a
 * client that resumes from that frame or from an earlier one is told of a gap.
 */
export const MAX_OUT_OF_TURN = 256;

/** A {@linkcode DeliveryLog} as plain data. */
export interface DeliveryRecord extends DeliveryProgress {
  readonly droppedUpTo: number;
  /** Number of a frame out of turn, and how far the client had got in events and in errors. */
  readonly outOfTurn: readonly (readonly [seq: number, events: number, errors: number])[];
}

/**
 * What one client has got, seen from any frame it may name when it resumes.
 *
 * Frames leave in the order of their numbers as long as nothing has to wait; then the last number
 * a client has seen says it all. For a client that was slow, errors overtook events, and values
 * came after both, so that the last number says little: for every frame that left out of turn the
 * log keeps how far the client had got in events and in errors. Each of those two is in order.
 */
export class DeliveryLog {
  #events: number;
  #errors: number;
  #outOfTurn: Map<number, DeliveryProgress> | undefined;
  /** Up to this number, what is not in the map may have been dropped from it. */
  #droppedUpTo = -1;

  /** @param start How far the client has got when it connects. */
  constructor(start: DeliveryProgress) {
    this.#events = start.events;
    this.#errors = start.errors;
  }

  /**
   * Goes back to where the client was in an earlier connection; what it missed leaves from now on.
   *
   * @param namedBy Numbers it may name although none of that has reached it: the one it resumed
   * from, and the one in its welcome.
   */
  rewind(start: DeliveryProgress, namedBy: readonly number[]): void {
    this.#events = start.events;
    this.#errors = start.errors;
    for (const seq of namedBy) this.#keep(seq);
  }

  /**
   * The client named this number, whose frame had left out of turn in an earlier connection, and
   * has missed nothing: it may name it again.
   */
  keepNamed(seq: number): void {
    this.#keep(seq);
  }

  /** Starts over in another numbering: what was noted so far says nothing in it. */
  renumber(start: DeliveryProgress): void {
    this.#events = start.events;
    this.#errors = start.errors;
    this.#outOfTurn = undefined;
    this.#droppedUpTo = -1;
  }

  /**
   * Whether a frame leaves in turn: everything with a lower number has left, nothing with a higher
   * one.
   *
   * @param firstWaitingEvent The lowest number among the events that wait, this frame included.
   */
  isInTurn({ seq }: EncodedFrame, firstWaitingEvent: number | undefined): boolean {
    if (seq === undefined) return true;
    return this.#events <= seq && this.#errors <= seq &&
      (firstWaitingEvent === undefined || firstWaitingEvent >= seq);
  }

  /**
   * Whether a frame that leaves now overtakes an event of a lower number: who names it may lack
   * that event.
   */
  static overtakes({ seq }: EncodedFrame, firstWaitingEvent: number | undefined): boolean {
    return seq !== undefined && firstWaitingEvent !== undefined && firstWaitingEvent < seq;
  }

  /** Notes that a frame has left, in turn or not. */
  note({ seq, advances }: EncodedFrame, isInTurn: boolean): void {
    if (seq === undefined) return;
    if (advances === "errors") this.#errors = seq;
    else if (advances === "events") this.#events = seq;
    if (isInTurn) this.#outOfTurn?.delete(seq);
    else this.#keep(seq);
  }

  /** The log as plain data, for another hub to go on from. */
  toRecord(): DeliveryRecord {
    return {
      events: this.#events,
      errors: this.#errors,
      droppedUpTo: this.#droppedUpTo,
      outOfTurn: [...this.#outOfTurn ?? []].map(([seq, at]) => [seq, at.events, at.errors]),
    };
  }

  /** The log another hub has kept. */
  static fromRecord({ events, errors, droppedUpTo, outOfTurn }: DeliveryRecord): DeliveryLog {
    const log = new DeliveryLog({ events, errors });
    log.#droppedUpTo = droppedUpTo;
    const latest = outOfTurn.slice(-MAX_OUT_OF_TURN);
    log.#outOfTurn = new Map(
      latest.map(([seq, events, errors]) => [seq, { events, errors }]),
    );
    return log;
  }

  /** Whether every number speaks for itself, so that there is nothing worth remembering. */
  get isPlain(): boolean {
    return this.#droppedUpTo < 0 && (this.#outOfTurn === undefined || this.#outOfTurn.size === 0);
  }

  /** The highest number that does not speak for itself; -1 if there is none. */
  get highestOutOfTurn(): number {
    let highest = this.#droppedUpTo;
    for (const seq of this.#outOfTurn?.keys() ?? []) highest = Math.max(highest, seq);
    return highest;
  }

  /**
   * How far the client had got when the frame of this number was the last it saw; undefined if
   * that is not known any more.
   */
  at(seq: number): DeliveryProgress | undefined {
    const kept = this.#outOfTurn?.get(seq);
    if (kept !== undefined) return kept;
    return seq <= this.#droppedUpTo ? undefined : { events: seq, errors: seq };
  }

  #keep(seq: number): void {
    this.#outOfTurn ??= new Map();
    this.#outOfTurn.set(seq, { events: this.#events, errors: this.#errors });
    if (this.#outOfTurn.size <= MAX_OUT_OF_TURN) return;
    for (const oldest of this.#outOfTurn.keys()) {
      this.#outOfTurn.delete(oldest);
      this.#droppedUpTo = Math.max(this.#droppedUpTo, oldest);
      break;
    }
  }
}
