export interface RepeatedLookOptions {
  /** Time between two looks, in milliseconds. */
  everyMs: number;
  /** The same when something happened. */
  soonMs: number;
  /** Whether it is of use to look: the hub is there, and somebody looks. */
  wanted: () => boolean;
  /** Looks once; must not throw. */
  look: () => Promise<void>;
}

/** Looks now and then, one look at a time, and soon after something happened. */
export class RepeatedLook {
  readonly #options: RepeatedLookOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isSoon = false;
  #isLooking = false;
  #again = false;

  constructor(options: RepeatedLookOptions) {
    this.#options = options;
  }

  /** Begins with the usual time between two looks. */
  start(): void {
    this.#lookIn(this.#options.everyMs);
  }

  /** Something has changed: looks soon, once for all that happens meanwhile. */
  soon(): void {
    if (this.#isLooking) this.#again = true;
    else if (!this.#isSoon) this.#lookIn(this.#options.soonMs);
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#isSoon = ms === this.#options.soonMs;
    this.#timer = setTimeout(() => void this.#look(), ms);
  }

  async #look(): Promise<void> {
    const { everyMs, soonMs, wanted, look } = this.#options;
    this.#isSoon = false;
    if (wanted()) {
      this.#isLooking = true;
      await look();
      this.#isLooking = false;
    }
    this.#lookIn(this.#again ? soonMs : everyMs);
    this.#again = false;
  }
}
