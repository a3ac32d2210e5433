/**
 * `@std/assert` with its types, in the one place the tests import it from: the npm carrier of the
 * standard library ships none, and a pragma a test file would be noise.
 */
// @ts-types="../../src/std_types/assert.d.ts"
export * from "@std/assert";
