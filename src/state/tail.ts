import type { Change } from "./change.ts";
import { encodeRecord, scanRecords } from "./tail_record.ts";

/** The two files, written in turn: one is cut off once the store has all of it. */
export const TAIL_FILES = ["tail-a.log", "tail-b.log"] as const;

/** Size from which the other file is used, if the store has what is in that one. */
const TURN_BYTES = 1024 * 1024;

/**
 * The most the tail may hold that the store has not taken. When full, the store does not keep up:
 * nothing more is kept until it is written anew.
 */
export const MAX_TAIL_BYTES = 64 * 1024 * 1024;

/**
 * Bodies up to this length stand in the tail, in characters; a longer one costs more than a
 * broadcast may wait. Of such a one the tail says nothing: until the store has it, the one before
 * stands.
 */
export const MAX_TAIL_BODY = 256 * 1024;

/** An open file, as {@linkcode Deno.FsFile} is one. */
export interface TailFile {
  writeSync(bytes: Uint8Array): number;
  truncateSync(length: number): void;
  seekSync(offset: number, whence: Deno.SeekMode): number;
}

/** The head of a file: all records up to its number are in the other file, or in the store. */
interface TailHead {
  readonly store: string;
}

/** One file of a tail, as far as it is written. */
class TailPart {
  readonly #file: TailFile;
  /** Number of its newest record. */
  last = 0;
  bytes = 0;

  constructor(file: TailFile) {
    this.#file = file;
  }

  write(number: number, encoded: Uint8Array): void {
    try {
      for (let done = 0; done < encoded.length;) {
        done += this.#file.writeSync(encoded.subarray(done));
      }
    } catch (error) {
      this.#cutTo(this.bytes); // half a record would look damaged once another follows
      throw error;
    }
    this.bytes += encoded.length;
    this.last = number;
  }

  cut(): void {
    this.#cutTo(0);
    this.bytes = 0;
    this.last = 0;
  }

  #cutTo(length: number): void {
    this.#file.truncateSync(length);
    this.#file.seekSync(length, Deno.SeekMode.Start);
  }
}

/**
 * What was said and is not yet in the store: appended before anybody hears of it, so that a process
 * that is killed forgets nothing. It costs some microseconds and waits for no disk: the system keeps
 * what is written, whatever becomes of the process. (Not what becomes of the machine.)
 */
export class Tail {
  readonly #parts: readonly [TailPart, TailPart];
  #active: TailPart;
  #store = "";
  #number = 0;

  /** @param files Open for writing; closed by whoever opened them. */
  constructor([a, b]: readonly [TailFile, TailFile]) {
    this.#parts = [new TailPart(a), new TailPart(b)];
    [this.#active] = this.#parts;
  }

  /** Number of the newest record. */
  get number(): number {
    return this.#number;
  }

  get bytes(): number {
    const [a, b] = this.#parts;
    return a.bytes + b.bytes;
  }

  /**
   * Begins after what the store has, all of it.
   *
   * @param newest The file that has the newest record: it is cut off last.
   * @throws What writing a file throws.
   */
  begin(store: string, number: number, newest: 0 | 1): void {
    this.#store = store;
    this.#number = number;
    const [a, b] = this.#parts;
    const [before, next] = newest === 0 ? [a, b] : [b, a];
    this.#turnTo(next);
    before.cut();
  }

  /**
   * Appends what happened at one time.
   *
   * @param applied Number of the newest record that the store has.
   * @throws What writing a file throws; then nothing was appended.
   * @throws {RangeError} If the tail is full.
   */
  append(changes: readonly Change[], applied: number): number {
    const [a, b] = this.#parts;
    const other = this.#active === a ? b : a;
    if (this.#active.bytes > TURN_BYTES && other.last <= applied) this.#turnTo(other);
    const number = this.#number + 1;
    const encoded = encodeRecord({ number, text: JSON.stringify(changes.filter(isShort)) });
    if (this.bytes + encoded.length > MAX_TAIL_BYTES) {
      throw new RangeError("the store does not keep up with what is to be kept");
    }
    this.#active.write(number, encoded);
    this.#number = number;
    return number;
  }

  /** Makes what is in it worthless: it does not go on from what the store has. */
  spoil(): void {
    for (const part of this.#parts) part.cut();
  }

  #turnTo(part: TailPart): void {
    const head: TailHead = { store: this.#store };
    part.cut();
    part.write(this.#number, encodeRecord({ number: this.#number, text: JSON.stringify(head) }));
    this.#active = part;
  }
}

function isShort({ body }: Change): boolean {
  return body === null || body.length <= MAX_TAIL_BODY;
}

/** What the tail says beyond the store. */
export type TailReading =
  | {
    readonly ok: true;
    readonly changes: readonly Change[];
    readonly number: number;
    /** Which file has the newest record. */
    readonly newest: 0 | 1;
  }
  /** It does not go on from what the store has, so that something may be missing. */
  | { readonly ok: false; readonly why: string };

/**
 * Reads what both files hold, as they were left.
 *
 * @param store The store's own name.
 * @param applied Number of the newest record that the store has.
 */
export function readTail(
  files: readonly [Uint8Array, Uint8Array],
  { store, applied }: { store: string; applied: number },
): TailReading {
  const changes: { readonly number: number; readonly text: string }[] = [];
  let number = -1;
  let newest: 0 | 1 = 0;
  for (const at of [0, 1] as const) {
    const { records, isDamaged } = scanRecords(files[at]);
    if (isDamaged) return { ok: false, why: `${TAIL_FILES[at]} is damaged` };
    const [head, ...rest] = records;
    if (head === undefined) continue;
    if ((JSON.parse(head.text) as TailHead).store !== store) {
      return { ok: false, why: `${TAIL_FILES[at]} belongs to another store` };
    }
    changes.push(...rest);
    const last = rest.at(-1) ?? head;
    if (last.number >= number) newest = at;
    number = Math.max(number, last.number);
  }
  if (number < applied) return { ok: false, why: "some of the tail is missing" };
  const beyond = changes.filter((each) => each.number > applied)
    .sort((a, b) => a.number - b.number);
  const isWhole = beyond.length === number - applied &&
    beyond.every((each, at) => each.number === applied + 1 + at);
  if (!isWhole) return { ok: false, why: "the store lacks what the tail goes on from" };
  return {
    ok: true,
    changes: beyond.flatMap(({ text }) => JSON.parse(text) as Change[]),
    number,
    newest,
  };
}
