import { channelKind } from "../../protocol/channel.ts";
import { LogHistogram } from "./histogram.ts";

/** Broadcasts that are kept to be compared; older ones are settled and forgotten. */
const MAX_OPEN = 5000;

/** From where to where one connection of one client has heard the broadcasts. */
export interface HeardSpan {
  /** The welcome's `seq`. */
  readonly from: number;
  /** The highest `seq` heard, by kind: errors may overtake events, and both overtake values. */
  readonly upTo: { control: number; event: number; status: number };
  /** Its connection has ended: no more is expected of it. */
  isOver: boolean;
}

export function newSpan(from: number): HeardSpan {
  return { from, upTo: { control: from, event: from, status: from }, isOver: false };
}

/** A broadcast that at least one client has heard. */
interface HeardBroadcast {
  readonly type: string;
  readonly firstAt: number;
  count: number;
}

/** What comparing clients with each other has shown. */
export interface Findings {
  /** Events and errors some clients did not get although later ones of the kind reached them. */
  readonly missed: number;
  /** Values a client did not get because a newer one took their place. */
  readonly conflated: number;
  /** Broadcasts that were compared. */
  readonly broadcasts: number;
}

/**
 * Compares what clients heard. A client alone cannot tell a number it missed from one it did not
 * subscribe to; but what one client of many with the same subscriptions got, all should get.
 */
export class Ledger {
  /** How much later than the first client each other one got the same broadcast. */
  readonly spread = new LogHistogram();
  readonly #open = new Map<number, HeardBroadcast>();
  readonly #spans = new Set<HeardSpan>();
  #missed = 0;
  #conflated = 0;
  #settled = 0;
  #forgottenUpTo = 0;
  #measureFrom = Infinity;

  /** Takes in a connection; from now on it is expected to get what others get. */
  enter(span: HeardSpan): void {
    this.#spans.add(span);
  }

  /** Counts the spread of what is first heard from now on, in monotonic milliseconds. */
  measureFrom(now: number): void {
    this.#measureFrom = now;
  }

  /** A client heard a broadcast, at monotonic milliseconds. */
  heard(span: HeardSpan, type: string, seq: number, now: number): void {
    const lane = laneOf(type);
    if (seq > span.upTo[lane]) span.upTo[lane] = seq;
    if (seq <= this.#forgottenUpTo) return;
    const known = this.#open.get(seq);
    if (known === undefined) {
      this.#open.set(seq, { type, firstAt: now, count: 1 });
      if (this.#open.size > MAX_OPEN) this.#settleOldest();
      return;
    }
    known.count += 1;
    if (known.firstAt >= this.#measureFrom) this.spread.add(now - known.firstAt);
  }

  /** Settles everything there is. */
  findings(): Findings {
    while (this.#open.size > 0) this.#settleOldest();
    return { missed: this.#missed, conflated: this.#conflated, broadcasts: this.#settled };
  }

  #settleOldest(): void {
    for (const [seq, { type, count }] of this.#open) {
      this.#open.delete(seq);
      this.#forgottenUpTo = Math.max(this.#forgottenUpTo, seq);
      const lane = laneOf(type);
      let expected = 0;
      // A client is expected to have it once something later of its kind has come to it.
      for (const span of this.#spans) {
        const { from, upTo, isOver } = span;
        if (from < seq && upTo[lane] >= seq) expected += 1;
        if (isOver && Math.max(...Object.values(upTo)) < seq) this.#spans.delete(span);
      }
      const lacking = Math.max(0, expected - count);
      if (lane === "status") this.#conflated += lacking;
      else this.#missed += lacking;
      this.#settled += 1;
      return;
    }
  }
}

function laneOf(type: string): keyof HeardSpan["upTo"] {
  const kind = channelKind(type);
  if (kind === "hub") return "control";
  return kind === "event" ? "event" : "status";
}
