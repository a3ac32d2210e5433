/** A stream that takes bytes without blocking the thread, such as `Deno.stderr`. */
export interface ByteSink {
  /** Resolves with how many of them were taken, once there was room. */
  write(bytes: Uint8Array): Promise<number>;
}

export interface LineWriterOptions {
  /**
   * Called when the reader has caught up by half, with how many lines were left out since the last
   * time; what it writes takes their place. Default: nobody is told.
   */
  onLeftOut?: (lines: number) => void;
}

/**
 * Most characters that wait for a stream whose reader stands still, some ten thousand lines: a line
 * for each of `max_clients` in one turn, as when a hub stops, is no reason to leave any out. When
 * full, further lines are left out and counted; the oldest stay, as they tell how it began.
 */
export const MAX_WAITING_CHARS = 8 * 1_048_576;

/** Lines are handed over together up to so many characters; a longer one goes alone. */
const WRITE_CHARS = 65_536;

const encoder = new TextEncoder();

/**
 * Writes lines to a stream that others drain, and never waits for them: a pipe nobody reads, a
 * terminal that is held or a journal that hangs stops the writing, not the program. (A synchronous
 * write would stop the thread; an asynchronous one waits on a thread of the runtime's own.)
 */
export class LineWriter {
  readonly #sink: ByteSink;
  readonly #onLeftOut: ((lines: number) => void) | undefined;
  #waiting: string[] = [];
  #waitingChars = 0;
  #leftOut = 0;
  #untoldLeftOut = 0;
  #writing: Promise<void> | undefined;
  /** The last write failed in the middle of a line. */
  #isMidLine = false;

  constructor(sink: ByteSink, options: LineWriterOptions = {}) {
    this.#sink = sink;
    this.#onLeftOut = options.onLeftOut;
  }

  /** How many lines were left out so far. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** Writes a line, given without its newline, as soon as there is room. Never throws. */
  write(line: string): void {
    const isFull = this.#waitingChars + line.length > MAX_WAITING_CHARS;
    if (isFull && this.#waiting.length > 0) return this.#leaveOut(1);
    this.#waiting.push(line);
    this.#waitingChars += line.length;
    this.#writing ??= this.#writeAll().finally(() => this.#writing = undefined);
  }

  /** Waits until all is written, but no longer than this; whether it was. */
  async flush(withinMs: number): Promise<boolean> {
    if (this.#writing === undefined) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), withinMs);
    const isDone = await Promise.race([this.#writing.then(() => true), promise]);
    clearTimeout(timer);
    return isDone;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#take();
      if (!await this.#hand(lines)) this.#leaveOut(lines.length);
      else if (this.#untoldLeftOut > 0 && this.#waitingChars <= MAX_WAITING_CHARS / 2) {
        const lines = this.#untoldLeftOut;
        this.#untoldLeftOut = 0;
        this.#onLeftOut?.(lines);
      }
    }
  }

  #take(): string[] {
    let chars = 0;
    let count = 0;
    for (const { length } of this.#waiting) {
      if (count > 0 && chars + length > WRITE_CHARS) break;
      chars += length;
      count += 1;
    }
    this.#waitingChars -= chars;
    return this.#waiting.splice(0, count);
  }

  /** False if the stream did not take them: its reader has gone, or its disk is full. */
  async #hand(lines: readonly string[]): Promise<boolean> {
    const start = this.#isMidLine ? "\n" : "";
    const bytes = encoder.encode(`${start}${lines.join("\n")}\n`);
    let written = 0;
    try {
      while (written < bytes.length) written += await this.#sink.write(bytes.subarray(written));
      this.#isMidLine = false;
      return true;
    } catch {
      if (written > 0) this.#isMidLine = true;
      return false;
    }
  }

  #leaveOut(lines: number): void {
    this.#leftOut += lines;
    this.#untoldLeftOut += lines;
  }
}
