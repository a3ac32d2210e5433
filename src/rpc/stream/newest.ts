import { onAbort } from "../../resilience/on_abort.ts";

/** What became of a stream: its newest item, or that there will be none any more. */
export type Taken<T, E> =
  | { readonly kind: "item"; readonly item: T }
  | { readonly kind: "ended"; readonly how: E };

/**
 * Room for one item between a stream that comes at its own pace and whoever takes from it: a newer
 * item takes the place of one that waits. The item that waits at the end is still given.
 */
export class Newest<T, E> {
  #item: { readonly value: T } | undefined;
  #end: { readonly how: E } | undefined;
  #wake: (() => void) | undefined;
  #replaced = 0;

  /** Items that nobody took before a newer one came. */
  get replaced(): number {
    return this.#replaced;
  }

  put(value: T): void {
    if (this.#end !== undefined) return;
    if (this.#item !== undefined) this.#replaced += 1;
    this.#item = { value };
    this.#wake?.();
  }

  /** The stream is over; only the first call counts. */
  end(how: E): void {
    this.#end ??= { how };
    this.#wake?.();
  }

  /**
   * Waits for the next item or the end; one at a time.
   *
   * @throws The signal's reason, when it is aborted.
   */
  async take(signal: AbortSignal): Promise<Taken<T, E>> {
    signal.throwIfAborted();
    using _stop = onAbort(signal, () => this.#wake?.());
    try {
      while (this.#item === undefined && this.#end === undefined && !signal.aborted) {
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
      signal.throwIfAborted();
    } finally {
      this.#wake = undefined;
    }
    if (this.#item !== undefined) {
      const { value } = this.#item;
      this.#item = undefined;
      return { kind: "item", item: value };
    }
    if (this.#end === undefined) throw new TypeError("Cannot take twice at a time");
    return { kind: "ended", how: this.#end.how };
  }
}
