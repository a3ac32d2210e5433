import type { ErrorEvent } from "../../protocol/error_event.ts";

/** How grave an entry is; each has a mark and a word of its own, not only a colour. */
export type Tone = "critical" | "error" | "warning" | "good" | "note";

export interface JournalEntry {
  readonly id: number;
  readonly tone: Tone;
  /** An error's code, or what the page itself noticed. */
  readonly code: string;
  readonly message: string;
  readonly details?: string;
  /** Unix seconds of the first and the last time it was told. */
  readonly firstAt: number;
  readonly lastAt: number;
  readonly count: number;
}

export type NewEntry = Pick<JournalEntry, "tone" | "code" | "message"> & {
  readonly details?: string | undefined;
  /** Unix seconds. */
  readonly at: number;
};

/** Most entries kept; the oldest is forgotten. */
export const MAX_ENTRIES = 200;

/** How far back the same error is looked for, so that it is counted and not listed again. */
const REPEATS_WITHIN = 12;

/** After one of these a new chapter begins: what happens next is not counted with what was before. */
const TURNS: ReadonlySet<string> = new Set([
  "CIRCUIT_OPEN",
  "RPC_RECOVERED",
  "CLUSTER_LOST",
  "CLUSTER_RECOVERED",
  "CONNECTED",
  "LOST",
]);

/** Errors that tell of something mended. */
const MENDED: ReadonlySet<string> = new Set(["RPC_RECOVERED", "CLUSTER_RECOVERED"]);

/** What is said to people where the hub's own words are for those who run it. */
const PLAIN_WORDS: Readonly<Record<string, string>> = {
  CLUSTER_LOST: "This hub has lost touch with the others. Values are marked stale until it finds " +
    "them or polls for itself.",
  CLUSTER_RECOVERED: "This hub is back with the others",
};

/** What went wrong and what came right again, the newest first. */
export class Journal {
  readonly #entries: JournalEntry[] = [];
  #lastId = 0;

  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  add(entry: NewEntry): void {
    const { at, details, ...rest } = entry;
    const repeated = this.#repeatedBy(entry);
    if (repeated !== undefined) {
      const before = this.#entries[repeated];
      if (before === undefined) return;
      this.#entries[repeated] = {
        ...before,
        ...(details === undefined ? {} : { details }),
        lastAt: at,
        count: before.count + 1,
      };
      return;
    }
    this.#lastId += 1;
    this.#entries.unshift({
      id: this.#lastId,
      ...rest,
      ...(details === undefined ? {} : { details }),
      firstAt: at,
      lastAt: at,
      count: 1,
    });
    if (this.#entries.length > MAX_ENTRIES) this.#entries.pop();
  }

  /** What a hub told. */
  tell({ code, severity, message, details, timestamp }: ErrorEvent): void {
    const tone = MENDED.has(code) ? "good" : severity;
    const words = PLAIN_WORDS[code] ?? message;
    this.add({ tone, code, message: words, details, at: timestamp });
  }

  #repeatedBy({ code, message }: NewEntry): number | undefined {
    for (const [index, entry] of this.#entries.slice(0, REPEATS_WITHIN).entries()) {
      if (entry.code === code && entry.message === message) return index;
      if (TURNS.has(entry.code)) return undefined;
    }
    return undefined;
  }
}
