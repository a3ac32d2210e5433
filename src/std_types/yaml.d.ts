/** Types of `@std/yaml`'s parse, whose npm carrier ships none; `tests/std_types_test.ts` calls it. */
export declare function parse(
  content: string,
  options?: { schema?: "core" | "default" | "failsafe" | "json" | "extended" },
): unknown;
