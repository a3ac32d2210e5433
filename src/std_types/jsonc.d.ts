/** Types of `@std/jsonc`, whose npm carrier ships none; `tests/std_types_test.ts` calls it. */
export declare function parse(text: string): unknown;
