/** Time between two looks at the clock, in milliseconds. */
const LOOK_EVERY_MS = 200;

/** Time between two looks that is no delay any more: the process stood still. */
const STANDSTILL_MS = 1000;

/**
 * How long after a standstill messages may be of before it, in milliseconds: they lay in the
 * system's buffers and are being read.
 */
const BACKLOG_MS = 1000;

/**
 * Tells when messages came that are read now. After the process or the machine stood still nobody
 * knows: then it is the last moment before that.
 */
export class Arrivals implements Disposable {
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #unixMs: () => number;
  #lookedAtMs: number;
  #stoodStill: { readonly sinceMs: number; readonly untilMs: number } | undefined;

  constructor(unixMs: () => number = Date.now) {
    this.#unixMs = unixMs;
    this.#lookedAtMs = unixMs();
    this.#timer = setInterval(() => this.cameAtMs(), LOOK_EVERY_MS);
  }

  /** When a message came that was read just now, in unix milliseconds. */
  cameAtMs(): number {
    const now = this.#unixMs();
    const before = this.#lookedAtMs;
    this.#lookedAtMs = now;
    if (now - before > STANDSTILL_MS) this.#stoodStill = { sinceMs: before, untilMs: now };
    const { sinceMs, untilMs } = this.#stoodStill ?? { sinceMs: now, untilMs: -Infinity };
    if (now >= untilMs && now - untilMs < BACKLOG_MS) return sinceMs;
    this.#stoodStill = undefined;
    return now;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
