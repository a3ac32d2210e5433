/** Types of `@std/text/closest-string`, whose npm carrier ships none; `tests/std_types_test.ts` calls it. */
export declare function closestString(
  givenWord: string,
  possibleWords: readonly string[],
  options?: { caseSensitive?: boolean },
): string;
