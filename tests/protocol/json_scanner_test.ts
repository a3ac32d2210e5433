import fc from "fast-check";
import { JsonScanner, MAX_JSON_DEPTH, scanJson } from "../../src/protocol/json_scanner.ts";
import { assert, assertEquals, assertLess, assertThrows } from "../support/assert.ts";

Deno.test("C18: scanJson() leaves every number, escape and order of keys as it was written", () => {
  const text =
    `{"b":1764000000123456789,"a":[9007199254740993,1e999,-0,1.50,1E+2],"s":"\\u00e9\\ud800\\/"}`;
  const scanned = scanJson(text);
  assert(scanned.ok);
  assertEquals<string>(scanned.json, text);
  const spread = text.replaceAll(",", " ,\r\n\t").replaceAll(":", " : ");
  const again = scanJson(`\n ${spread} `);
  assert(again.ok);
  assertEquals<string>(again.json, text);
});

Deno.test("scanJson() takes exactly what JSON.parse() takes, and gives its value", () => {
  const values = fc.json({ maxDepth: 6 });
  const broken = fc.tuple(values, fc.nat(), fc.constantFrom(...'{}[],:"\\0-.eE+ \ntruefalsn')).map(
    ([text, at, piece]) => {
      const where = at % (text.length + 1);
      return text.slice(0, where) + piece + text.slice(where + at % 2);
    },
  );
  const soup = fc.array(fc.constantFrom(...'{}[],:"\\u01-.eE+ \n', "true", "null", '"a"'))
    .map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(fc.oneof(values, broken, soup), fc.integer({ min: 1, max: 9 }), (text, step) => {
      let expected: { value: unknown } | undefined;
      try {
        expected = { value: JSON.parse(text) };
      } catch {
        expected = undefined;
      }
      const scanner = new JsonScanner(text);
      while (!scanner.advance(step));
      const scanned = scanner.result();
      assertEquals(scanned.ok, expected !== undefined, text);
      if (scanned.ok) assertEquals(JSON.parse(scanned.json), expected?.value);
      if (scanned.ok && !/["]/.test(text)) assertEquals(/\s/.test(scanned.json), false);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("scanJson() finds the members asked for, of equal names the last", () => {
  const text = `{ "x": {"id": 9}, "\\u0069d" : 1 , "r":[ 1, {"id":2} ], "id" : "last" }`;
  const scanned = scanJson(text, { members: ["id", "r"] });
  assert(scanned.ok);
  assertEquals<unknown>(Object.fromEntries(scanned.members), { id: `"last"`, r: `[1,{"id":2}]` });
  assertEquals(scanned.unknownMember, "x");
  assertEquals(JSON.parse(text).id, "last");
});

Deno.test("scanJson() finds a list's elements, and no more than were asked for", () => {
  const scanned = scanJson(`[ 1, {"a": [2, 3]} , "," ]`, { maxElements: 3 });
  assert(scanned.ok);
  assertEquals<readonly string[]>(scanned.elements, ["1", `{"a":[2,3]}`, `","`]);
  assertEquals(scanJson("[1,2,3,4]", { maxElements: 3 }), { ok: false, why: "too_many" });
});

Deno.test("C53: scanJson() gives up at a nesting that is too deep, however deep it is", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  assert(scanJson(nested(MAX_JSON_DEPTH)).ok);
  assertEquals(scanJson(nested(MAX_JSON_DEPTH + 1)), { ok: false, why: "too_deep" });
  const text = `{"a":`.repeat(4_000_000);
  const before = performance.now();
  assertEquals(scanJson(text), { ok: false, why: "too_deep" });
  assertLess(performance.now() - before, 500, "it has read on to the end");
});

Deno.test("JsonScanner() tells nothing before the end", () => {
  const scanner = new JsonScanner("[1,2]");
  assertEquals(scanner.advance(2), false);
  assertThrows(() => scanner.result(), TypeError, "still being read");
  assertEquals(scanner.advance(100), true);
  assertEquals(scanner.result().ok, true);
});
