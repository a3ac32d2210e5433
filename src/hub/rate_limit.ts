/**
 * A token bucket: `perSecond` on average, bursts of as many (RFC 2697 calls it a single-rate
 * meter). Pure; 0 admits everything.
 */
export class RateLimit {
  readonly #perSecond: number;
  #tokens: number;
  #at: number;

  /** @param now Monotonic milliseconds, here and below. */
  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#at = now;
  }

  /** Takes one token, if there is one. */
  admit(now: number): boolean {
    if (this.#perSecond === 0) return true;
    const earned = (now - this.#at) / 1000 * this.#perSecond;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + earned);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
