/** Marks that are told apart at a time. When full, the oldest goes, and stands for no client. */
const MAX_MARKS = 65_536;

/**
 * Who was there when the main thread set a mark. It counts no clients of its own: a mark stands for
 * as many as this thread had had by then, in the order in which both have happened.
 */
export class MarkedClients {
  readonly #ordinals = new Map<number, number>();
  /** Marks up to this one were set before this thread was there. */
  readonly #before: number;

  constructor(before: number) {
    this.#before = before;
  }

  /** @param clientsSoFar How many clients this thread has had. */
  set(mark: number, clientsSoFar: number): void {
    this.#ordinals.set(mark, clientsSoFar);
    if (this.#ordinals.size <= MAX_MARKS) return;
    for (const oldest of this.#ordinals.keys()) {
      this.#ordinals.delete(oldest);
      break;
    }
  }

  /** How many clients this thread had had when this mark was set. */
  ordinalOf(mark: number): number {
    return mark <= this.#before ? 0 : this.#ordinals.get(mark) ?? 0;
  }
}
