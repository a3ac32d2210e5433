/** Types of `@std/async/deadline`, whose npm carrier ships none; `tests/std_types_test.ts` calls it. */
export declare function deadline<T>(
  p: Promise<T>,
  ms: number,
  options?: { signal?: AbortSignal },
): Promise<T>;
