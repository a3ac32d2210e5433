import { onAbort } from "./on_abort.ts";

/**
 * A signal that is aborted with any of its parents, or on its own, and lets go of them when disposed
 * of. `AbortSignal.any` never lets go of parents that live long, and has been seen to be collected.
 *
 * @example
 * ```ts
 * using call = new LinkedAbort([signal, this.#stop.signal]);
 * await fetch(url, { signal: call.signal });
 * ```
 */
export class LinkedAbort implements Disposable {
  readonly #own = new AbortController();
  readonly #links: Disposable[];

  constructor(parents: readonly (AbortSignal | undefined)[]) {
    this.#links = parents.map((parent) => onAbort(parent, () => this.#own.abort(parent?.reason)));
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  abort(reason?: unknown): void {
    this.#own.abort(reason);
  }

  [Symbol.dispose](): void {
    for (const link of this.#links) link[Symbol.dispose]();
  }
}
