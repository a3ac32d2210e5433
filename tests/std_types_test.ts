/**
 * The npm carrier of the standard library ships no types, so `src/std_types/` has them by hand.
 * Each module is called here as its types say, so that they stay true when its version changes.
 */
// @ts-types="../src/std_types/closest_string.d.ts"
import { closestString } from "@std/text/closest-string";
// @ts-types="../src/std_types/deadline.d.ts"
import { deadline } from "@std/async/deadline";
// @ts-types="../src/std_types/delay.d.ts"
import { delay } from "@std/async/delay";
// @ts-types="../src/std_types/levenshtein_distance.d.ts"
import { levenshteinDistance } from "@std/text/levenshtein-distance";
// @ts-types="../src/std_types/status.d.ts"
import { STATUS_CODE, STATUS_TEXT } from "@std/http/status";
import * as asserts from "./support/assert.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "./support/assert.ts";

Deno.test("@std/async/deadline is as typed", async () => {
  assertEquals(await deadline(Promise.resolve(1), 60_000), 1);
  const never = new Promise<never>(() => {});
  const error = await assertRejects(() => deadline(never, 1), DOMException);
  assertEquals(error.name, "TimeoutError");
  const reason = new Error("stop");
  const signal = AbortSignal.abort(reason);
  await assertRejects(() => deadline(never, 60_000, { signal }), Error, "stop");
});

Deno.test("@std/async/delay is as typed", async () => {
  await delay(0);
  await delay(0, { persistent: true });
  const signal = AbortSignal.abort(new Error("stop"));
  await assertRejects(() => delay(60_000, { signal }), Error, "stop");
});

Deno.test("@std/http/status is as typed", async () => {
  const types = await Deno.readTextFile(new URL("../src/std_types/status.d.ts", import.meta.url));
  const typed = [...types.matchAll(/readonly (\w+): (\d+);/g)];
  assert(typed.length > 10);
  const codes: Readonly<Record<string, number>> = STATUS_CODE;
  for (const [, name = "", code] of typed) {
    assertEquals(codes[name], Number(code), name);
    assert((STATUS_TEXT[Number(code)] ?? "").length > 0, name);
  }
  assertEquals(STATUS_TEXT[STATUS_CODE.NotFound], "Not Found");
});

Deno.test("@std/text's two modules are as typed", () => {
  assertEquals(closestString("evry", ["method", "every"]), "every");
  assertEquals(closestString("EVRY", ["method", "every"], { caseSensitive: false }), "every");
  assertEquals(levenshteinDistance("evry", "every"), 1);
});

/** For each function of `@std/assert`: arguments that hold, and arguments that do not. */
const ASSERTIONS = {
  assert: [[1], [0]],
  assertFalse: [[0], [1]],
  assertEquals: [[{ a: 1 }, { a: 1 }], [{ a: 1 }, { a: 2 }]],
  assertNotEquals: [[1, 2], [1, 1]],
  assertStrictEquals: [["a", "a"], [{}, {}]],
  assertNotStrictEquals: [[{}, {}], ["a", "a"]],
  assertExists: [[0], [null]],
  assertGreater: [[2, 1], [1, 1]],
  assertGreaterOrEqual: [[1, 1], [0, 1]],
  assertLess: [[1, 2], [1, 1]],
  assertLessOrEqual: [[1, 1], [2, 1]],
  assertAlmostEquals: [[1, 1.05, 0.1], [1, 1.2, 0.1]],
  assertMatch: [["abc", /b/], ["abc", /d/]],
  assertNotMatch: [["abc", /d/], ["abc", /b/]],
  assertStringIncludes: [["abc", "b"], ["abc", "d"]],
  assertArrayIncludes: [[[1, 2], [2]], [[1, 2], [3]]],
  assertObjectMatch: [[{ a: 1, b: 2 }, { a: 1 }], [{ a: 1 }, { a: 2 }]],
  assertInstanceOf: [[new TypeError(), Error], [new Error(), TypeError]],
} as const;

Deno.test("@std/assert is as typed: each assertion holds and fails", () => {
  const all = asserts as unknown as Record<string, (...args: readonly unknown[]) => void>;
  for (const [name, [holds, fails]] of Object.entries(ASSERTIONS)) {
    all[name]?.(...holds);
    assertThrows(() => all[name]?.(...fails), asserts.AssertionError);
  }
});

Deno.test("@std/assert is as typed: those that call, and those that always fail", async () => {
  const { AssertionError } = asserts;
  const throwing = () => {
    throw new TypeError("no such thing");
  };
  assert(assertThrows(throwing) instanceof TypeError);
  assertEquals(assertThrows(throwing, TypeError, "no such").message, "no such thing");
  assertThrows(() => assertThrows(() => 1), AssertionError);
  const rejecting = () => Promise.reject(new TypeError("no such thing"));
  assert(await assertRejects(rejecting) instanceof TypeError);
  assertEquals((await assertRejects(rejecting, TypeError, "no such")).message, "no such thing");
  await assertRejects(() => assertRejects(() => Promise.resolve(1)), AssertionError);
  assertThrows(() => asserts.fail("why"), AssertionError, "why");
  assertThrows(() => asserts.unreachable(), AssertionError);
});
