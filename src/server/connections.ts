/** The connections that exist, so that a stop can wait for them and end the ones that stay. */
export class Connections {
  readonly #aborts = new Map<Disposable, () => void>();
  readonly #onAllGone: (() => void)[] = [];

  /** Connections that exist: opening, open and closing. */
  get size(): number {
    return this.#aborts.size;
  }

  /**
   * Counts a connection from now until its place is given back.
   *
   * @param abort Ends it by force.
   * @returns The place to give back instead; giving it back twice does nothing.
   */
  track(place: Disposable, abort: () => void): Disposable {
    const tracked = {
      [Symbol.dispose]: () => {
        place[Symbol.dispose]();
        this.#aborts.delete(tracked);
        if (this.#aborts.size > 0) return;
        for (const resolve of this.#onAllGone.splice(0)) resolve();
      },
    };
    this.#aborts.set(tracked, abort);
    return tracked;
  }

  /** Resolves once there is none. */
  allGone(): Promise<void> {
    if (this.#aborts.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onAllGone.push(resolve));
  }

  /** Ends all that are left by force. */
  abortAll(): void {
    for (const abort of this.#aborts.values()) abort();
  }
}
