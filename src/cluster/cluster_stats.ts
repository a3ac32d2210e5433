import { isErrorType } from "../protocol/channel.ts";
import { Histogram } from "../telemetry/histogram.ts";
import type { Appended } from "./broker.ts";
import type { Claim, Entry } from "./entry.ts";

/** What became of entries this hub wrote; nobody knows it of one that was never answered. */
export const APPEND_RESULTS = ["stored", "fenced", "too_large", "unanswered"] as const;
export type AppendResult = typeof APPEND_RESULTS[number];

/**
 * What entries of the stream are about: `void` is a leader's that does not count, as another's was
 * there first, `gap` says that something was lost, `unknown` is a newer hub's, or nobody's.
 */
export const ENTRY_KINDS = ["claim", "value", "event", "error", "gap", "void", "unknown"] as const;
export type EntryKind = typeof ENTRY_KINDS[number];

/** Time an append takes, in seconds: from a server beside the hub to one that does not answer. */
const APPEND_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];

/** Keeps the books on one hub's part in its cluster. Whatever happens, it holds as much. */
export class ClusterStats {
  /** Time that appends took which were answered, in seconds. */
  readonly appendSeconds = new Histogram(APPEND_BOUNDS);
  readonly #appends: Record<AppendResult, number> = {
    stored: 0,
    fenced: 0,
    too_large: 0,
    unanswered: 0,
  };
  readonly #read: Record<EntryKind, number> = {
    claim: 0,
    value: 0,
    event: 0,
    error: 0,
    gap: 0,
    void: 0,
    unknown: 0,
  };
  #leaders = 0;
  #newestTerm: number | undefined;
  #takeovers = 0;
  #losses = 0;
  #gaps = 0;
  #joinFailures = 0;

  /** Times a hub, this one or another, was seen to take the lead. */
  get leaders(): number {
    return this.#leaders;
  }

  /** Times this hub took the lead. */
  get takeovers(): number {
    return this.#takeovers;
  }

  /** Times the broker was lost after it had been joined. */
  get losses(): number {
    return this.#losses;
  }

  /** Times joining failed, whatever the reason: nobody there, no right to, refused, nobody leads. */
  get joinFailures(): number {
    return this.#joinFailures;
  }

  /** Times some of the stream was gone before this hub could read it. */
  get gaps(): number {
    return this.#gaps;
  }

  /** How many entries of this hub's came to this end. */
  appends(result: AppendResult): number {
    return this.#appends[result];
  }

  /** How many entries of this kind were read. */
  read(kind: EntryKind): number {
    return this.#read[kind];
  }

  onClaim({ term }: Pick<Claim, "term">): void {
    if (term === this.#newestTerm) return; // repeated, so that it is kept
    this.#newestTerm = term;
    this.#leaders += 1;
  }

  onTakeover(): void {
    this.#takeovers += 1;
  }

  onLoss(): void {
    this.#losses += 1;
  }

  onJoinFailed(): void {
    this.#joinFailures += 1;
  }

  onGap(): void {
    this.#gaps += 1;
  }

  /** @param entry Undefined if it could not be understood. */
  onRead(entry: Entry | undefined): void {
    this.#read[kindOf(entry)] += 1;
  }

  /** A leader's entry was read that does not count. */
  onVoid(): void {
    this.#read.void += 1;
  }

  /** @param tookMs How long the answer took, in milliseconds. */
  onAppended({ kind }: Appended, tookMs: number): void {
    this.#appends[kind] += 1;
    // What is too large was never sent.
    if (kind !== "too_large") this.appendSeconds.observe(tookMs / 1000);
  }

  /** An append failed, and perhaps was stored all the same. */
  onUnanswered(): void {
    this.#appends.unanswered += 1;
  }
}

function kindOf(entry: Entry | undefined): EntryKind {
  if (entry === undefined) return "unknown";
  if (entry.kind !== "broadcast") return entry.kind;
  if (entry.status !== undefined) return "value";
  return isErrorType(entry.type) ? "error" : "event";
}
