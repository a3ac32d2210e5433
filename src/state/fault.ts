/** What can be the matter with a store. */
export type Fault =
  /** Not as it was written. */
  | "damaged"
  /** Not ours, or of a later version. */
  | "foreign"
  | "full"
  | "read_only"
  /** Anything else: the disk fails, the folder is gone. */
  | "unusable";

/** A store that cannot be used; `message` is fit for a log. */
export class StoreFault extends Error {
  override readonly name = "StoreFault";

  constructor(readonly fault: Fault, why: string, options?: ErrorOptions) {
    super(why, options);
  }
}

/** SQLite's own words, which is all that the runtime passes on. */
const WORDS: readonly (readonly [RegExp, Fault])[] = [
  [/not a database/i, "foreign"],
  [/malformed|corrupt|no such table|no such column/i, "damaged"],
  [/disk is full|no space|ENOSPC|os error 28|quota/i, "full"],
  [
    /readonly|read-only|permission denied|os error 13|os error 30|NotCapable|Requires \w+ access|escalate/i,
    "read_only",
  ],
];

/** What an error of SQLite or of the file system means. */
export function faultOf(error: unknown): StoreFault {
  if (error instanceof StoreFault) return error;
  const message = error instanceof Error ? error.message : String(error);
  const fault = WORDS.find(([words]) => words.test(message))?.[1] ?? "unusable";
  return new StoreFault(fault, message, { cause: error });
}
