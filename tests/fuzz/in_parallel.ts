import fc from "fast-check";
import { settings } from "./cases.ts";

/** Connections under way at one time. */
const WORKERS = 8;

export interface InParallelOptions<T> {
  /** What the seed is printed under. */
  suite: string;
  cases: number;
  arbitrary: fc.Arbitrary<T>;
  run: (value: T) => Promise<void>;
}

/**
 * Runs generated cases against a live hub, several at once: they are independent, and a hub has
 * many clients at once. A failure names the case; the seed makes it again.
 */
export async function inParallel<T>(options: InParallelOptions<T>): Promise<void> {
  const { suite, cases, arbitrary, run } = options;
  const values = fc.sample(arbitrary, settings(suite, cases));
  let next = 0;
  await Promise.all(Array.from({ length: WORKERS }, async () => {
    while (next < values.length) {
      const nth = next++;
      const value = values[nth];
      if (value === undefined) return;
      try {
        await run(value);
      } catch (error) {
        next = values.length;
        const shown = fc.stringify(value).slice(0, 4000);
        throw new Error(`case ${nth} of ${suite} failed: ${shown}`, { cause: error });
      }
    }
  }));
}
