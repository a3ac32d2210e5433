/** Time between two looks at the clock, in milliseconds. */
const LOOK_EVERY_MS = 200;

/** Time between two looks that is no delay any more: the process stood still. */
const STANDSTILL_MS = 1000;

/**
 * How long after a standstill messages may be of before it, in milliseconds: they lay in the
 * system's buffers and are being read. That is over with a first quiet time between two looks, in
 * which nothing came: what lay there was read. A stream that is never quiet gets the longer time.
 */
const BACKLOG_MS = { least: 1000, most: 5000 } as const;

/**
 * Tells when messages came that are read now. After the process or the machine stood still nobody
 * knows: then it is the last moment before that.
 */
export class Arrivals implements Disposable {
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #unixMs: () => number;
  #lookedAtMs: number;
  #stoodStill: { readonly sinceMs: number; readonly untilMs: number } | undefined;
  #wasQuiet = false;

  constructor(unixMs: () => number = Date.now) {
    this.#unixMs = unixMs;
    this.#lookedAtMs = unixMs();
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS);
  }

  /** Called again and again by a timer of its own. */
  look(): void {
    this.#readClock();
    if (this.#wasQuiet) this.#endBacklog(BACKLOG_MS.least);
    this.#wasQuiet = true;
  }

  /** When a message came that was read just now, in unix milliseconds. */
  cameAtMs(): number {
    this.#wasQuiet = false;
    const now = this.#readClock();
    this.#endBacklog(BACKLOG_MS.most);
    return this.#stoodStill?.sinceMs ?? now;
  }

  #readClock(): number {
    const now = this.#unixMs();
    const before = this.#lookedAtMs;
    this.#lookedAtMs = now;
    if (now - before > STANDSTILL_MS) {
      this.#stoodStill = { sinceMs: this.#stoodStill?.sinceMs ?? before, untilMs: now };
      this.#wasQuiet = false;
    }
    return now;
  }

  /** Forgets a standstill that ended so long ago, or that a clock set back makes one of the future. */
  #endBacklog(afterMs: number): void {
    if (this.#stoodStill === undefined) return;
    const { untilMs } = this.#stoodStill;
    const forMs = this.#lookedAtMs - untilMs;
    if (forMs < 0 || forMs >= afterMs) this.#stoodStill = undefined;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
