import type { Screen, ScreenSize } from "../../src/cli/screen.ts";
import type { Io } from "../../src/cli/io.ts";
import { Watched } from "../support/until.ts";

/** A screen that remembers what was written on it. */
export class FakeScreen implements Screen {
  readonly isTerminal: boolean;
  written = "";
  /** Whether anybody still reads it. */
  isRead = true;
  readonly #watched = new Watched();
  readonly #listeners = new Set<() => void>();
  #size: ScreenSize;

  constructor(options: { isTerminal?: boolean; size?: ScreenSize } = {}) {
    const { isTerminal = false, size = { columns: 80, rows: 24 } } = options;
    this.isTerminal = isTerminal;
    this.#size = size;
  }

  get lines(): string[] {
    return this.written.split("\n").slice(0, -1);
  }

  /** Those who want to know of a new size. */
  get listeners(): number {
    return this.#listeners.size;
  }

  size(): ScreenSize {
    return this.#size;
  }

  write(text: string): boolean {
    if (!this.isRead) return false;
    this.written += text;
    this.#watched.changed();
    return true;
  }

  onResize(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  resize(size: ScreenSize): void {
    this.#size = size;
    for (const listener of this.#listeners) listener();
  }

  /** Waits until what was written since place `from` matches. */
  until(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    return this.#watched.until(
      () => pattern.exec(this.written.slice(from)) ?? undefined,
      { explain: () => `nothing like ${pattern} in ${JSON.stringify(this.written.slice(from))}` },
    );
  }
}

/** An {@linkcode Io} that remembers what was written. */
export interface RecordedIo extends Io {
  readonly outs: string[];
  readonly errs: string[];
}

export function recordedIo(env: Io["env"] = {}): RecordedIo {
  const outs: string[] = [];
  const errs: string[] = [];
  return { outs, errs, env, out: (line) => outs.push(line), err: (line) => errs.push(line) };
}
