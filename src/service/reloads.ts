/**
 * The reloads that were asked for: one at a time, and what is asked while one runs is answered by
 * one more. Asked for before the service has started they wait for that; once it stops there are
 * none. So the last state asked for is the one that comes to be.
 */
export class Reloads {
  #reload: (() => Promise<void>) | undefined;
  #isAsked = false;
  #isRunning = false;
  #hasEnded = false;

  /** Asks for a reload. */
  ask(): void {
    if (this.#hasEnded) return;
    this.#isAsked = true;
    void this.#run();
  }

  /** The service has started: it reloads in this way, which must not throw. */
  begin(reload: () => Promise<void>): void {
    this.#reload = reload;
    void this.#run();
  }

  /** The service stops; a reload under way is not waited for. */
  end(): void {
    this.#hasEnded = true;
    this.#isAsked = false;
  }

  async #run(): Promise<void> {
    if (this.#isRunning || this.#reload === undefined) return;
    this.#isRunning = true;
    try {
      while (this.#isAsked) {
        this.#isAsked = false;
        await this.#reload();
      }
    } finally {
      this.#isRunning = false;
    }
  }
}
