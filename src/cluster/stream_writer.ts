import type { Clock } from "../resilience/clock.ts";
import { type Log, logOf } from "../telemetry/log.ts";
import type { Appended, AppendOptions } from "./broker.ts";
import type { Feeds } from "./feeds.ts";
import type { StreamPart } from "./stream_sum.ts";
import { type Broadcast, encodeEntry, type Entry } from "./entry.ts";

/** What a leader has to say; who says it, and when in the stream's life, is added on writing. */
export type Draft = Pick<
  Broadcast,
  "type" | "timestamp" | "data" | "code" | "status" | "called_ms" | "valid_for_ms"
>;

/**
 * Errors and events that wait to be written. They wait while the broker cannot be reached, for a
 * grace time at most. When full, the oldest goes, and the log says how many went.
 */
export const MAX_WAITING = 1024;

/** Pause before an entry is offered again to a broker that did not take it, in milliseconds. */
const RETRY_MS = 100;

/** A leader that has written nothing for this long, in milliseconds, repeats its claim when it can. */
export const REPEAT_CLAIM_AFTER_MS = 2000;

/** A leader repeats its claim at least so often, in milliseconds: with it, what it has read. */
const CLAIM_EVERY_MS = 10_000;

/** A leader's right to write, from its claim until it is deposed or its broker is lost. */
export interface WriteGrant {
  readonly epoch: string;
  readonly term: number;
  readonly hub: string;
  /** Number of the newest leader's entry, which is this leader's own. */
  readonly fence: number;
  /** Whether the lease is surely held at this moment. */
  readonly isValid: () => boolean;
  readonly append: (text: string, options: AppendOptions) => Promise<Appended>;
  /** Another hub leads: nothing more can be written. */
  readonly onFenced: () => void;
  /** What this hub has read of the stream since it last said so. */
  readonly read?: () => StreamPart | undefined;
  /** What feeds this hub's channels, for those who come. */
  readonly feeds?: () => Feeds;
  /** At least so often this leader says something, in milliseconds. */
  readonly everyMs: number;
  readonly onStored: (entry: Broadcast, seq: number) => void;
  readonly onTooLarge: (draft: Draft, maxBytes: number) => void;
}

interface Waiting {
  readonly id: string;
  /** Nothing to say: the claim is repeated. */
  readonly draft?: Draft;
  /** Somebody who comes has asked for it. */
  readonly isAnswer?: boolean;
}

/**
 * Writes what a leader says into the stream, one entry after the other: each is stored only if the
 * one before it is the newest any leader wrote, so that two leaders' entries never mix. Of values
 * that wait only the newest of a channel is kept.
 */
export class Writer {
  readonly #clock: Clock;
  readonly #log: Log = logOf("cluster");
  #waiting: Waiting[] = [];
  /** Offered to the broker; not known yet whether it was stored. */
  #offered: Waiting | undefined;
  #grant: WriteGrant | undefined;
  #isWriting = false;
  #dropped = 0;
  #storedAt = -Infinity;
  #claimedAt = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Entries that wait, the one under way included. */
  get size(): number {
    return this.#waiting.length + (this.#offered === undefined ? 0 : 1);
  }

  /** Says something, as soon as it may write. */
  push(draft: Draft): void {
    const next: Waiting = { id: crypto.randomUUID(), draft };
    const at = draft.status === undefined
      ? -1
      : this.#waiting.findIndex((waiting) => waiting.draft?.type === draft.type);
    if (at >= 0) this.#waiting[at] = next;
    else if (this.#waiting.push(next) > MAX_WAITING) this.#dropOldest();
    void this.#write();
  }

  /** Writes with this grant from now on, beginning with what waits. */
  take(grant: WriteGrant): void {
    this.#storedAt = this.#claimedAt = this.#clock.now();
    this.#grant = grant;
    void this.#write();
  }

  /**
   * Repeats the claim if nothing was written for a while: once the newest leader's entry is too
   * old to be kept, the stream would not know this leader for its own any more, and hubs that hear
   * no leader give the broker up.
   *
   * @param options.isAsked Somebody waits for a word.
   */
  refresh({ isAsked = false } = {}): void {
    const now = this.#clock.now();
    const isDue = isAsked || now - this.#storedAt >= REPEAT_CLAIM_AFTER_MS ||
      now - this.#claimedAt >= CLAIM_EVERY_MS;
    if (this.#grant === undefined || (this.size > 0 && !isAsked) || !isDue) return;
    if (this.#waiting.some(({ isAnswer = false }) => isAnswer)) return;
    this.#waiting.push({ id: crypto.randomUUID(), isAnswer: isAsked });
    void this.#write();
  }

  /** Writes no more; what waits goes on waiting. */
  putDown(): void {
    this.#grant = undefined;
  }

  /** Forgets what waits: it is another hub's turn to speak, or nobody's. */
  clear(): void {
    this.#waiting = [];
    this.#offered = undefined;
  }

  async #write(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    try {
      for (let grant = this.#grant; grant !== undefined; grant = this.#grant) {
        this.#offered ??= this.#waiting.shift();
        const offered = this.#offered;
        if (offered === undefined) return;
        if (!grant.isValid()) {
          this.#grant = undefined;
          grant.onFenced();
          return;
        }
        const seq = await this.#offer(offered, grant);
        // What was written with an earlier grant, without an answer, stands before this one's claim.
        const fence = Math.max(grant.fence, seq ?? 0);
        if (this.#grant === grant) this.#grant = { ...grant, fence };
      }
    } finally {
      this.#isWriting = false;
    }
  }

  /** Offers one entry; its number if it was stored. */
  async #offer(offered: Waiting, grant: WriteGrant): Promise<number | undefined> {
    const { epoch, term, hub, fence, everyMs } = grant;
    const read = offered.draft ? undefined : grant.read?.();
    const entry: Entry = offered.draft
      ? { kind: "broadcast", epoch, term, after: fence, hub, ...offered.draft }
      : {
        ...{ kind: "claim", epoch, term, after: fence, hub, every_ms: everyMs },
        ...(read === undefined ? {} : { read }),
        ...(offered.isAnswer && grant.feeds ? { feeds: grant.feeds() } : {}),
      };
    let appended: Appended;
    try {
      appended = await grant.append(encodeEntry(entry), { as: "leader", id: offered.id, fence });
    } catch {
      // Whether it was stored is not known: offered again under the same name, it is stored once.
      await this.#clock.sleep(RETRY_MS);
      return undefined;
    }
    if (appended.kind === "fenced") {
      if (this.#grant?.term === term) this.#grant = undefined;
      grant.onFenced();
      return undefined;
    }
    if (this.#offered === offered) this.#offered = undefined;
    if (appended.kind === "too_large") {
      if (offered.draft) grant.onTooLarge(offered.draft, appended.maxBytes);
      return undefined;
    }
    this.#storedAt = this.#clock.now();
    if (entry.kind === "claim") this.#claimedAt = this.#storedAt;
    if (entry.kind === "broadcast") grant.onStored(entry, appended.seq);
    return appended.seq;
  }

  #dropOldest(): void {
    const oldest = this.#waiting.findIndex(({ draft }) => draft?.status === undefined);
    this.#waiting.splice(Math.max(0, oldest), 1);
    this.#dropped += 1;
    // Once, then at every power of two.
    if ((this.#dropped & (this.#dropped - 1)) === 0) {
      this.#log.warning("cluster.words_dropped", { dropped: this.#dropped, waiting: this.size });
    }
  }
}
