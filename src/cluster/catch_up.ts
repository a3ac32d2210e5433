import type { StreamPosition } from "../hub/resume/sequence.ts";
import type { Entry } from "./entry.ts";

/** An entry of the stream, read. */
export interface Numbered {
  readonly seq: number;
  /** Undefined if it could not be understood. */
  readonly entry: Entry | undefined;
}

export interface CatchUpOptions {
  /** The first entry this hub's clients have not had. */
  deliverFrom: number;
  /** The oldest entry that was read, or could have been. */
  readFrom: number;
  /** The epoch if no entry tells: of the newest leader's entry, or any. */
  epochOtherwise: string;
}

/** What a hub makes of the part of the stream it has missed. */
export interface CatchUp {
  /** Where it goes on. */
  readonly position: StreamPosition;
  /** Entries of that epoch up to this one will never be here. */
  readonly startsAfter: number;
  /** For clients that resume: broadcasts its own clients have had, or came too late for. */
  readonly past: readonly Numbered[];
  /** For its clients, in order. Of values, only the newest of each channel is left. */
  readonly missed: readonly Numbered[];
  /** Some of what was missed is no longer kept. */
  readonly isBroken: boolean;
}

/**
 * Sorts what was read on joining into what is past and what is to be delivered; pure. Only
 * leaders' entries say which epoch it is, so what stands before the first of them is of no use.
 */
export function catchUp(entries: readonly Numbered[], options: CatchUpOptions): CatchUp {
  const { deliverFrom, readFrom, epochOtherwise } = options;
  let epoch: string | undefined;
  let past: Numbered[] = [];
  let startsAfter = readFrom - 1;
  let due = readFrom;
  for (const numbered of entries) {
    const { seq, entry } = numbered;
    if (seq >= deliverFrom) break;
    const isNewEpoch = entry !== undefined && isLeaders(entry) && entry.epoch !== epoch;
    // Each kind of entry has bounds of its own: of one there may be holes amid the other.
    if (isNewEpoch || seq !== due) {
      past = [];
      startsAfter = seq - 1;
    }
    if (isNewEpoch) epoch = entry.epoch;
    if (entry?.kind === "broadcast") past.push(numbered);
    due = seq + 1;
  }
  const missed = entries.filter(({ seq }) => seq >= deliverFrom);
  const lastHole = missed.findLast(({ seq }, at) =>
    seq !== (missed[at - 1]?.seq ?? deliverFrom - 1) + 1
  );
  // Read from further on, and nothing came since: the hole is all there is.
  const skipped = missed.length === 0 && readFrom > deliverFrom ? readFrom - 1 : undefined;
  const isBroken = lastHole !== undefined || skipped !== undefined;
  const isWhole = epoch !== undefined && due >= deliverFrom;
  const [next] = missed;
  if (next?.entry?.kind === "claim" && next.entry.epoch !== epoch) {
    // A new epoch begins right here: no need to go through the old one.
    const position = { epoch: next.entry.epoch, seq: next.seq };
    const startsAfter = Math.max(next.seq, (lastHole?.seq ?? 0) - 1);
    return { position, startsAfter, past: [], missed: withoutReplaced(missed), isBroken };
  }
  return {
    position: { epoch: epoch ?? epochOtherwise, seq: skipped ?? deliverFrom - 1 },
    // Without a leader's entry nobody can tell whose numbers those before were.
    startsAfter: skipped ?? (lastHole ? lastHole.seq - 1 : isWhole ? startsAfter : deliverFrom - 1),
    past: isWhole && !isBroken ? past : [],
    missed: withoutReplaced(missed),
    isBroken,
  };
}

function isLeaders(entry: Entry): boolean {
  return entry.after !== undefined;
}

function withoutReplaced(entries: readonly Numbered[]): Numbered[] {
  const newest = new Map<string, number>();
  for (const { seq, entry } of entries) {
    if (entry?.kind === "broadcast" && entry.status) newest.set(entry.type, seq);
  }
  return entries.filter(({ seq, entry }) =>
    entry?.kind !== "broadcast" || entry.status === undefined || newest.get(entry.type) === seq
  );
}
