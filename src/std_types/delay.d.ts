/** Types of `@std/async/delay`, whose npm carrier ships none; `tests/std_types_test.ts` calls it. */
export declare function delay(
  ms: number,
  options?: { signal?: AbortSignal; persistent?: boolean },
): Promise<void>;
