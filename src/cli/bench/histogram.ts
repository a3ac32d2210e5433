/** Growth from one bucket to the next: what a percentile tells is true to 2 %. */
const GROWTH = 1.02;
/** Smallest value told apart, and the largest, in milliseconds. */
const LEAST = 0.01;
const MOST = 1_000_000;
const BUCKETS = Math.ceil(Math.log(MOST / LEAST) / Math.log(GROWTH)) + 1;

/** Counts of values in logarithmic buckets: percentiles of any number of values in a few KB. */
export class LogHistogram {
  readonly #counts = new Float64Array(BUCKETS);
  #total = 0;
  #max = 0;

  get total(): number {
    return this.#total;
  }

  /** The largest value; 0 if there is none. */
  get max(): number {
    return this.#max;
  }

  /** @param value Milliseconds; what is smaller than can be told apart counts as that. */
  add(value: number): void {
    const bucket = Math.ceil(Math.log(Math.max(value, LEAST) / LEAST) / Math.log(GROWTH));
    const at = Math.min(BUCKETS - 1, Math.max(0, bucket));
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#total += 1;
    this.#max = Math.max(this.#max, value);
  }

  /** The value that a share `p` of all values does not exceed; `undefined` if there is none. */
  percentile(p: number): number | undefined {
    if (this.#total === 0) return undefined;
    const rank = Math.max(1, Math.ceil(p * this.#total));
    let seen = 0;
    for (const [at, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= rank) return Math.min(this.#max, LEAST * GROWTH ** at);
    }
    return this.#max;
  }
}
