/** Types of `@std/text/levenshtein-distance`, whose npm carrier ships none; `tests/std_types_test.ts` calls it. */
export declare function levenshteinDistance(str1: string, str2: string): number;
