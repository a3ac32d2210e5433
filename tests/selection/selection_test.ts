import type { JsonText } from "../../src/protocol/codec.ts";
import { compileExpression } from "../../src/selection/expression.ts";
import { isHeldByDouble } from "../../src/selection/exact_number.ts";
import { Selection } from "../../src/selection/selection.ts";
import { assert, assertEquals, assertLess, assertMatch, assertThrows } from "../support/assert.ts";

/** What one expression gives of a JSON text: text, or why there is none. */
function select(expression: string, json: string): string {
  const [selected] = new Selection([expression]).from(json as JsonText);
  assert(selected);
  return selected.ok ? selected.text : selected.why;
}

Deno.test("Selection() selects each part on its own", () => {
  const answer = `{"queues":[{"name":"a","len":3}],"disks":[{"name":"sda","used_ratio":0.5}]}`;
  const parts = new Selection([
    "queues",
    "disks[].{name: name, used: used_ratio}",
    "nowhere.at.all",
    "length(queues)",
    "sum(disks[].name)",
  ]).from(answer as JsonText);
  assertEquals(parts.map((part) => part.ok ? part.text : part.why.slice(0, 59)), [
    `[{"name":"a","len":3}]`,
    `[{"name":"sda","used":0.5}]`,
    "the answer has nothing at nowhere.at.all",
    "1",
    "sum(disks[].name) cannot be put to the answer: Invalid type",
  ]);
});

Deno.test("C18: Selection() passes numbers on as they were written", () => {
  const answer =
    `{"a":1764000000123456789,"l":[{"n":9007199254740993},{"n":1e999}],"z":-0,"s":"12345678901234567890","m":7}`;
  assertEquals(
    select("{a: a, l: l[*].n, z: z, s: s, m: m}", answer),
    `{"a":1764000000123456789,"l":[9007199254740993,1e999],"z":-0,"s":"12345678901234567890","m":7}`,
  );
  assertEquals(select("@", answer), answer);
  assertEquals(select("l[?n == `7`] || m", answer), "7");
});

Deno.test("isHeldByDouble() knows which numbers no double holds", () => {
  for (const held of ["0", "-0", "1.50", "1e2", "0.1", "100000000000000000000", "5e-324", "0e9"]) {
    assert(isHeldByDouble(held), held);
  }
  for (const not of ["9007199254740993", "1e999", "1e-999", "0.12345678901234567891"]) {
    assert(!isHeldByDouble(not), not);
  }
});

Deno.test("C11: Selection() does not stand still over a number with many zeros", () => {
  const number = `1.${"0".repeat(300_000)}1`;
  const before = performance.now();
  assertEquals(select("n", `{"n":${number}}`), number);
  assertLess(performance.now() - before, 10_000); // a moment; it was minutes
});

Deno.test("Selection() bounds how long an expression takes, and how much it gives", () => {
  const list = `{"l":[${Array.from({ length: 20_000 }, (_, index) => index).join(",")}]}`;
  const before = performance.now();
  const parts = new Selection([
    "l[*].[length($.l[?@ > `1`])]",
    "let $x = l in $x[*].[length($x[?@ > `1`])]",
    "[l,l] | [@,@] | [@,@] | [@,@] | [@,@] | [@,@] | [@,@] | [@,@] | [@,@] | [@,@]",
    "pad_left('x', `1000000000`)",
    "l[0]",
  ]).from(list as JsonText);
  assertLess(performance.now() - before, 10_000);
  const whys = parts.map((part) => part.ok ? part.text : part.why.replace(/^.* answer: /, ""));
  assertMatch(whys[0] ?? "", /^it took more than \d+ ms$/);
  assertMatch(whys[1] ?? "", /^it took more than \d+ ms$/);
  assertMatch(whys[2] ?? "", /longer than|it took/);
  assertMatch(whys[3] ?? "", /no more than 10000 characters|it took/);
});

Deno.test("Selection() selects nothing from an answer that is too long for it", () => {
  const answer = `["${"x".repeat(9 * 1024 * 1024)}"]`;
  assertMatch(select("[0]", answer), /more than 8388608 characters/);
});

Deno.test("Selection() gives no piece of the program itself", () => {
  for (const expression of ["constructor", "toString", "a.constructor"]) {
    assertMatch(select(expression, `{"a":{}}`), /no text for|nothing at/);
  }
});

Deno.test("compileExpression() tells what is wrong, and where", () => {
  const wrong: [string, RegExp, number][] = [
    ["a b", /unexpected token.*b$/, 3],
    ["a..b", /unexpected token/, 3],
    ["a.[b", /the end/, 4],
    ["", /the end/, 1],
    ["a.b.#", /unknown character: #/, 5],
    ["x | nope(a)", /no function nope\(\)/, 5],
    ["x".repeat(2001), /longer than 2000/, 2000],
  ];
  for (const [text, why, at] of wrong) {
    const compiled = compileExpression(text);
    assert(!compiled.ok && why.test(compiled.why), JSON.stringify(compiled));
    assertEquals(compiled.at, at, text);
  }
  assert(compileExpression("a[?contains(b, 'nope(')].c | [0]").ok);
  assertThrows(() => new Selection(["a b"]), TypeError, "at character 3");
});
