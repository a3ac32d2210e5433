export interface UntilOptions {
  /** Milliseconds. Default 15 s: far more than anything takes, as the machine may be busy. */
  timeoutMs?: number;
  /** What did not happen, for the error; called only then. */
  explain: () => string;
}

/** Fifteen seconds: far more than anything waited for takes, as the machine may be busy. */
export const PATIENCE_MS = 15_000;

/** Resolves with `promise`, or fails with an explanation when that takes too long. */
export async function within<T>(promise: Promise<T>, options: UntilOptions): Promise<T> {
  const { timeoutMs = PATIENCE_MS, explain } = options;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${explain()} (waited ${timeoutMs} ms)`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Something that grows and that tests wait on: `changed()` wakes the waiting ones, who look again.
 */
export class Watched {
  readonly #waiting = new Set<() => void>();

  changed(): void {
    for (const look of [...this.#waiting]) look();
  }

  /** Waits until `look` finds something. */
  async until<T>(look: () => T | undefined, options: UntilOptions): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const tryNow = () => {
      try {
        const found = look();
        if (found !== undefined) resolve(found);
      } catch (error) {
        reject(error);
      }
    };
    this.#waiting.add(tryNow);
    tryNow();
    try {
      return await within(promise, options);
    } finally {
      this.#waiting.delete(tryNow);
    }
  }
}
