import type { StreamState } from "./broker.ts";

/**
 * Leaders' words that keep coming and never count, for this long in milliseconds: a leader that was
 * replaced falls silent sooner, so it is this hub that has read something else than they have.
 */
const CONTRADICTED_AFTER_MS = 5000;

/**
 * Whether a stream holds what this hub has read of it. Servers may lose what they had not all stored
 * and go on with something else in its place, and of copies that differ a hub may have read another
 * than the leaders. It owns no clock.
 */
export class Contradiction {
  #why: string | undefined;
  /** Since when leaders' words come that do not count, and the last of them. */
  #void: { readonly sinceMs: number; readonly lastMs: number } | undefined;

  /** A leader's word counts. */
  onCounted(): void {
    this.#void = undefined;
  }

  /**
   * A leader's word does not count. True for the first of a row.
   *
   * @param nowMs Monotonic milliseconds.
   */
  onVoid(nowMs: number): boolean {
    const isFirst = this.#void === undefined;
    this.#void = { sinceMs: nowMs, ...this.#void, lastMs: nowMs };
    return isFirst;
  }

  /** An entry that was read is another now; why this hub cannot go on, until it has started over. */
  onOther(seq: number): string {
    return this.#why = `entry ${seq} is not the one that this hub has read`;
  }

  /**
   * Why a hub that has read so far cannot go on in the stream as it stands; undefined if it can. Leaders'
   * words are judged anew from here on.
   */
  judge(
    seen: { readonly streamId: string; readonly seq: number } | undefined,
    { id, last }: Pick<StreamState, "id" | "last">,
  ): string | undefined {
    const { sinceMs = 0, lastMs = 0 } = this.#void ?? {};
    this.#void = undefined;
    if (seen === undefined || seen.streamId !== id) this.#why = undefined; // another stream says nothing of it
    else if (seen.seq > last) {
      this.#why = `the stream ends at ${last}, and this hub has read up to ${seen.seq}`;
    } else if (lastMs - sinceMs >= CONTRADICTED_AFTER_MS) {
      this.#why ??= "no leader's word follows on what this hub has read";
    }
    return this.#why;
  }

  /** It has started over. */
  settled(): void {
    this.#why = undefined;
  }
}
