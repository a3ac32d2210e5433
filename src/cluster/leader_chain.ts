/**
 * Which of the leaders' entries count; pure. Each names the one its writer knew to be the newest,
 * and counts only if that is the last one that counted. Every reader judges alike, for all read the
 * same entries in the same order: of two that were written over the same one the first counts and
 * the second does not, and all that follows on it neither. So two leaders' entries never mix, even
 * where the broker lets both through.
 */
export class LeaderChain {
  #last: number | undefined;
  /** Whether something before the last one that counted is known to have counted. */
  #isSure = false;
  /** Until then: entries that may count, by what they were written over. */
  readonly #candidates = new Map<number, number>();
  #from = 0;

  /** Number of the last entry that counted; undefined if there was none. */
  get last(): number | undefined {
    return this.#last;
  }

  /** Starts over: what was written before this number is not known. */
  restart(from: number): void {
    this.#last = undefined;
    this.skipTo(from);
  }

  /** What was written before this number may not have been read. */
  skipTo(from: number): void {
    this.#isSure = false;
    this.#candidates.clear();
    this.#from = from;
  }

  /**
   * Judges an entry, in the order of the stream.
   *
   * @param after The entry it was written over.
   */
  counts(seq: number, after: number): boolean {
    const follows = after === this.#last || [...this.#candidates.values()].includes(after);
    // The first ones that are read may be of those that do not count: nobody can tell yet.
    const mayFollow = !this.#isSure && (this.#last === undefined || after < this.#from) &&
      !this.#candidates.has(after);
    if (!follows && !mayFollow) return false;
    if (follows) {
      this.#isSure = true;
      this.#candidates.clear();
    } else this.#candidates.set(after, seq);
    this.#last = seq;
    return true;
  }
}
