/** What a reader knows of the leaders' entries, to go on from there when it reads on. */
export interface LeaderChainState {
  /** Number of the last entry that counted; undefined if there was none. */
  readonly last: number | undefined;
  /** Whether something before the last one that counted is known to have counted. */
  readonly isSure: boolean;
  /** Until then: entries that may count, by what they were written over. */
  readonly candidates: ReadonlyMap<number, number>;
  /** What was written before this number may not have been read. */
  readonly from: number;
}

const NOTHING_READ: LeaderChainState = {
  last: undefined,
  isSure: false,
  candidates: new Map(),
  from: 0,
};

/**
 * Which of the leaders' entries count; pure. Each names the one its writer knew to be the newest,
 * and counts only if that is the last one that counted. Every reader judges alike, for all read the
 * same entries in the same order: of two that were written over the same one the first counts and
 * the second does not, and all that follows on it neither. So two leaders' entries never mix, even
 * where the broker lets both through.
 */
export class LeaderChain {
  #state = NOTHING_READ;

  /** Number of the last entry that counted; undefined if there was none. */
  get last(): number | undefined {
    return this.#state.last;
  }

  /** As it is at this moment; never changed. */
  get state(): LeaderChainState {
    return this.#state;
  }

  /** Starts over: what was written before this number is not known. */
  restart(from: number): void {
    this.#state = { ...NOTHING_READ, from };
  }

  /** Goes back to where it was: what was read since is read again. */
  restore(state: LeaderChainState): void {
    this.#state = state;
  }

  /** What was written before this number may not have been read. */
  skipTo(from: number): void {
    this.#state = { ...NOTHING_READ, last: this.last, from };
  }

  /**
   * Judges an entry, in the order of the stream.
   *
   * @param after The entry it was written over.
   */
  counts(seq: number, after: number): boolean {
    const { last, isSure, candidates, from } = this.#state;
    const follows = after === last || [...candidates.values()].includes(after);
    // The first ones that are read may be of those that do not count: nobody can tell yet.
    const mayFollow = !isSure && (last === undefined || after < from) && !candidates.has(after);
    if (!follows && !mayFollow) return false;
    this.#state = follows
      ? { last: seq, isSure: true, candidates: NOTHING_READ.candidates, from }
      : { last: seq, isSure, candidates: new Map([...candidates, [after, seq]]), from };
    return true;
  }
}
