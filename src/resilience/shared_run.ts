/**
 * Work that many ask for and that is done once at a time. Who asks while it is under way gets the
 * next run, which all get that ask until it begins: a run that is under way may have passed what
 * they ask about.
 *
 * @example
 * ```ts
 * const figures = new SharedRun(() => collect());
 * await figures.run(); // began after this was called
 * ```
 */
export class SharedRun {
  readonly #work: () => Promise<void>;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  /** Resolves once a run is over that began after this call; rejects as that run does. */
  run(): Promise<void> {
    return this.#next ??= this.#running.catch(() => {}).then(() => {
      this.#next = undefined;
      return this.#running = this.#work();
    });
  }
}
