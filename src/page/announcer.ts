/** How long a sentence must hold before it is read aloud, in milliseconds. */
const SETTLES_AFTER_MS = 1500;

/** Has sentences read aloud once they hold, so that what flickers does not chatter. */
export class Announcer {
  readonly #region: { textContent: string | null };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiting: string | undefined;

  /** @param region A live region that is shown to nobody. */
  constructor(region: { textContent: string | null }) {
    this.#region = region;
  }

  say(sentence: string): void {
    if (sentence === this.#waiting) return;
    this.#waiting = sentence;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#region.textContent !== sentence) this.#region.textContent = sentence;
    }, SETTLES_AFTER_MS);
  }
}
