/** Entries of which the sum is remembered; older ones cannot be compared any more. */
export const MAX_SUMMED = 8192;

/** Characters of an entry that are summed, at its beginning: its head and what its data begin with. */
const SUMMED_CHARS = 1024;

/** Entries that were acknowledged and not read yet; of more the oldest are not looked for. */
const MAX_EXPECTED = 1024;

/** A part of the stream, and the sum of all entries in it, each at its place. */
export interface StreamPart {
  readonly from: number;
  readonly to: number;
  readonly sum: string;
}

/**
 * Sums up what was read of the stream, so that two hubs can tell whether they have read the same, and
 * a publisher whether what was acknowledged stands where it was said to. Copies that servers keep of
 * a stream can come to differ; nothing else would ever say so. Pure.
 */
export class StreamSum {
  /** Sums of all entries up to each number, from the first one that was read without a hole. */
  readonly #sums = new Uint32Array(2 * MAX_SUMMED);
  #from = 1;
  #last = 0;
  readonly #expected = new Map<number, string>();

  /**
   * Takes note of an entry, in the order of the stream. False if something else was acknowledged for
   * its place, or for one that was passed over.
   */
  add(seq: number, text: string): boolean {
    if (seq !== this.#last + 1) {
      this.#from = seq;
      this.#set(seq - 1, 0, 0);
    }
    const [a, b] = hash(seq, text);
    const [sumA, sumB] = this.#get(seq - 1);
    this.#set(seq, sumA ^ a, sumB ^ b);
    this.#last = seq;
    this.#from = Math.max(this.#from, seq - MAX_SUMMED + 2);
    return this.#asExpected(seq, text);
  }

  /** Another stream is read from now on. */
  restart(): void {
    this.#expected.clear();
    this.#from = 1;
    this.#last = 0;
  }

  /** What comes next stands behind this number: what was read of it before is read again. */
  goBackTo(seq: number): void {
    if (seq >= this.#from && seq < this.#last) this.#last = seq;
  }

  /** Number of the newest entry that was read; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** The sum of the entry that was read at this place; undefined if it cannot be told. */
  at(seq: number): string | undefined {
    return seq < this.#from || seq > this.#last ? undefined : this.#part(seq, seq).sum;
  }

  /** What was read from this number on, up to the newest; undefined if there was nothing, or a hole. */
  since(from: number): StreamPart | undefined {
    const start = Math.max(from, this.#from);
    return start > this.#last ? undefined : this.#part(start, this.#last);
  }

  /** Whether the same was read here; undefined if it cannot be told. */
  agrees({ from, to, sum }: StreamPart): boolean | undefined {
    if (!(from >= this.#from && from <= to && to <= this.#last)) return undefined;
    return this.#part(from, to).sum === sum;
  }

  /** An entry was acknowledged at this place. False if another was read there. */
  expect(seq: number, text: string): boolean {
    const sum = sumOf(seq, text);
    if (seq <= this.#last) return (this.at(seq) ?? sum) === sum;
    this.#expected.set(seq, sum);
    const [oldest] = this.#expected.keys();
    if (this.#expected.size > MAX_EXPECTED && oldest !== undefined) this.#expected.delete(oldest);
    return true;
  }

  #asExpected(seq: number, text: string): boolean {
    if (this.#expected.size === 0) return true;
    let isAsExpected = true;
    for (const [at, sum] of this.#expected) {
      if (at > seq) continue;
      this.#expected.delete(at);
      if (at < seq || sum !== sumOf(seq, text)) isAsExpected = false;
    }
    return isAsExpected;
  }

  #part(from: number, to: number): StreamPart {
    const [fromA, fromB] = this.#get(from - 1);
    const [toA, toB] = this.#get(to);
    return { from, to, sum: hex([fromA ^ toA, fromB ^ toB]) };
  }

  #get(seq: number): [number, number] {
    const at = 2 * (seq % MAX_SUMMED);
    return [this.#sums[at] ?? 0, this.#sums[at + 1] ?? 0];
  }

  #set(seq: number, a: number, b: number): void {
    const at = 2 * (seq % MAX_SUMMED);
    this.#sums[at] = a;
    this.#sums[at + 1] = b;
  }
}

/** The sum of one entry at its place. */
export function sumOf(seq: number, text: string): string {
  return hex(hash(seq, text));
}

/** Two words of an entry at its place (FNV-1a and a sum by another prime). */
function hash(seq: number, text: string): [number, number] {
  let a = 0x811c9dc5 ^ seq;
  let b = Math.imul(seq, 0x9e3779b1) ^ text.length;
  const end = Math.min(text.length, SUMMED_CHARS);
  for (let at = 0; at < end; at++) {
    const code = text.charCodeAt(at);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x5bd1e995);
  }
  return [a >>> 0, (b ^ (b >>> 15)) >>> 0];
}

function hex(words: readonly [number, number]): string {
  return words.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}
