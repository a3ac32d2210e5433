import type { Draft } from "./stream_writer.ts";

/**
 * Events and values that are kept while the hub is alone. When full, the oldest goes, and clients of
 * all hubs are told of a gap once the hub is back.
 */
export const MAX_UNSAID = 1000;

/** The same in characters of their data. */
export const MAX_UNSAID_CHARS = 16 * 1024 * 1024;

/** Something that was accepted while the hub was alone, and that only its own clients have heard. */
export interface Kept {
  /** Under which it is stored once, however often it is offered. */
  readonly id: string;
  readonly draft: Draft;
  /** Clients of this hub that came before this one, as they are counted, have had it. */
  readonly hadBefore: number;
}

/** What another life of this hub has to know of it. */
export type KeptUnsaid = Pick<Kept, "id" | "draft">;

/** Where it is written down before anybody hears of it, and what an earlier life had written down. */
export interface UnsaidKeeper {
  readonly past: readonly KeptUnsaid[];
  keep(record: KeptUnsaid): void;
  forget(id: string): void;
}

/** What this hub said alone and the others have to hear. Of values the newest of each channel. */
export class Unsaid {
  readonly #kept = new Map<string, Kept>();
  readonly #keeper: UnsaidKeeper | undefined;
  #chars = 0;
  #lost = 0;

  /** @param keeper Default: nothing outlives the process. */
  constructor(keeper?: UnsaidKeeper) {
    for (const record of keeper?.past ?? []) this.#hold({ ...record, hadBefore: 0 });
    this.#keeper = keeper;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Clients of this hub that came before this one have heard some of it; 0 if none have. */
  get heardBefore(): number {
    return Math.max(0, ...[...this.#kept.values()].map(({ hadBefore }) => hadBefore));
  }

  /** How many can never be said any more. */
  get lost(): number {
    return this.#lost;
  }

  /** The oldest first. */
  all(): Kept[] {
    return [...this.#kept.values()];
  }

  has(id: string): boolean {
    return this.#kept.has(id);
  }

  get(id: string): Kept | undefined {
    return this.#kept.get(id);
  }

  add(draft: Draft, hadBefore: number): void {
    if (draft.status !== undefined) this.#removeValueOf(draft.type);
    const id = crypto.randomUUID();
    this.#keeper?.keep({ id, draft });
    this.#hold({ id, draft, hadBefore });
    for (const [oldest] of this.#kept) {
      if (this.#kept.size <= MAX_UNSAID && this.#chars <= MAX_UNSAID_CHARS) break;
      this.remove(oldest);
      this.#lost += 1;
    }
  }

  remove(id: string): void {
    this.#chars -= this.#kept.get(id)?.draft.data.length ?? 0;
    if (this.#kept.delete(id)) this.#keeper?.forget(id);
  }

  /** One of them cannot be said at all. */
  giveUp(id: string): void {
    if (!this.#kept.has(id)) return;
    this.remove(id);
    this.#lost += 1;
  }

  /** Everybody was told of the gap. */
  lossTold(): void {
    this.#lost = 0;
  }

  #hold(kept: Kept): void {
    this.#kept.set(kept.id, kept);
    this.#chars += kept.draft.data.length;
  }

  #removeValueOf(channel: string): void {
    for (const [id, { draft }] of this.#kept) {
      if (draft.status !== undefined && draft.type === channel) this.remove(id);
    }
  }
}
