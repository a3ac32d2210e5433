/** A connection that can be ended by force. */
export interface Abortable {
  abort(): void;
}

/** The connections that exist, so that a stop can wait for them and end the ones that stay. */
export class Connections {
  readonly #all = new Set<Abortable>();
  readonly #onAllGone: (() => void)[] = [];

  /** Connections that exist: opening, open and closing. */
  get size(): number {
    return this.#all.size;
  }

  /** Counts a connection from now until it is removed. */
  add(connection: Abortable): void {
    this.#all.add(connection);
  }

  /** The connection is gone; to say so twice does nothing. */
  remove(connection: Abortable): void {
    if (!this.#all.delete(connection) || this.#all.size > 0) return;
    for (const resolve of this.#onAllGone.splice(0)) resolve();
  }

  /**
   * Counts a connection from now until its place is given back.
   *
   * @param abort Ends it by force.
   * @returns The place to give back instead; giving it back twice does nothing.
   */
  track(place: Disposable, abort: () => void): Disposable {
    const connection = { abort };
    this.add(connection);
    return {
      [Symbol.dispose]: () => {
        place[Symbol.dispose]();
        this.remove(connection);
      },
    };
  }

  /** Resolves once there is none. */
  allGone(): Promise<void> {
    if (this.#all.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onAllGone.push(resolve));
  }

  /** Ends all that are left by force. */
  abortAll(): void {
    for (const connection of this.#all) connection.abort();
  }
}
