import { MAX_ROWS, tableOf, viewOf } from "../../src/page/values/shape.ts";
import type { View } from "../../src/page/values/view.ts";
import { assert, assertEquals, assertLess } from "../support/assert.ts";

/** How many parts a view has, itself included. */
function sizeOf(view: View): number {
  const sum = (views: readonly View[]) => views.reduce((total, each) => total + sizeOf(each), 1);
  switch (view.kind) {
    case "fields":
      return sum(view.fields.map((field) => field.view));
    case "stack":
      return sum(view.parts.map((part) => part.view));
    case "table":
      return sum(view.rows.flat());
    default:
      return 1;
  }
}

Deno.test("viewOf() shows scalars for what their key says they are", () => {
  assertEquals(viewOf(2 ** 31, { key: "free_bytes" }), { kind: "text", text: "2.00 GiB" });
  assertEquals(viewOf(true), { kind: "text", text: "yes" });
  assertEquals(viewOf(""), { kind: "text", text: "(empty)" });
  assertEquals(viewOf(null), { kind: "text", text: "–", isMuted: true });
  assertEquals(viewOf(0.25, { key: "progress_ratio" }), {
    kind: "bar",
    ratio: 0.25,
    text: "25 %",
    label: "Progress",
  });
});

Deno.test("viewOf() gives numbers the channel's unit where their keys tell none", () => {
  assertEquals(viewOf(21.5, { unit: "°C" }), { kind: "text", text: "21.5 °C" });
  const view = viewOf({ press: 21, size_bytes: 1024 }, { unit: "°C" });
  assert(view.kind === "fields");
  const texts = view.fields.map(({ view }) => view.kind === "text" ? view.text : view.kind);
  assertEquals(texts, ["21 °C", "1.00 KiB"]);
});

Deno.test("viewOf() folds away what is more than three parts", () => {
  const part = { x: 1 };
  const view = viewOf({ a: part, b: part, c: part, d: part, e: part });
  assert(view.kind === "stack");
  assertEquals(view.parts.map(({ title, isFolded = false }) => [title, isFolded]), [
    ["A", false],
    ["B", false],
    ["More", true],
  ]);
});

Deno.test("viewOf() shows an object as fields, with what is larger below them", () => {
  const view = viewOf({ a: 1, inner: { b: 2 }, list: [{ c: 3 }], c: "x" });
  assert(view.kind === "stack");
  assertEquals(view.parts.map(({ title, view }) => [title, view.kind]), [
    [undefined, "fields"],
    ["Inner", "fields"],
    ["List", "table"],
  ]);
});

Deno.test("viewOf() keeps apart keys that differ in their unit alone", () => {
  const view = viewOf({ used_bytes: 1, used_ratio: 0.5 });
  assert(view.kind === "fields");
  assertEquals(view.fields.map(({ label }) => label), ["Used", "Used ratio"]);
});

Deno.test("viewOf() shows a list of objects as a table, numbers to the right", () => {
  const view = viewOf([{ name: "a", size_bytes: 1, done_ratio: 0.5 }, { name: "b", more: [1] }]);
  assert(view.kind === "table");
  assertEquals(view.columns, [
    { label: "Name", isNumber: false },
    { label: "Size", isNumber: true },
    { label: "Done", isNumber: false },
    { label: "More", isNumber: false },
  ]);
  assertEquals(view.rows[1]?.map((cell) => "text" in cell ? cell.text : ""), [
    "b",
    "–",
    "–",
    "[1]",
  ]);
});

Deno.test("viewOf() cuts long lists and says how much is left out", () => {
  const table = viewOf(Array.from({ length: 1000 }, (_, index) => ({ index })));
  assert(table.kind === "table");
  assertEquals([table.rows.length, table.cutRows], [MAX_ROWS, 1000 - MAX_ROWS]);
  const plain = viewOf(Array.from({ length: 25 }, (_, index) => index));
  assert(plain.kind === "text");
  assert(plain.text.endsWith("19 and 5 more"), plain.text);
});

Deno.test("viewOf() shows what is too deep for a layout as an excerpt", () => {
  const view = viewOf([{ job: { file: "x.log", progress_ratio: 0.5, parts: [1, 2], deep: {} } }]);
  assert(view.kind === "table");
  const [[cell] = []] = view.rows;
  assertEquals(cell, { kind: "text", text: "File: x.log, Progress: 50 %, Parts: [2], Deep: …" });
});

Deno.test("viewOf() stays small for a value that is large in every way", () => {
  const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`k${index}`, index]));
  let deep: unknown = wide;
  for (let level = 0; level < 200_000; level++) deep = { deep, wide };
  for (const value of [wide, deep, [deep], { text: "x".repeat(1e6) }]) {
    assertLess(sizeOf(viewOf(value)), 5000);
  }
  const text = viewOf("x".repeat(1e6));
  assert(text.kind === "text");
  assertEquals(text.text.length, 200);
});

Deno.test("C38: viewOf() labels a column called as what every object has by that name", () => {
  const row = JSON.parse('{ "constructor": 1, "toString": 2, "__proto__": 3, "valueOf": 4 }');
  const view = viewOf([row]);
  assert(view.kind === "table");
  assertEquals(view.columns.map(({ label }) => typeof label), Array(4).fill("string"));
  const laidOut = tableOf([row], { title: "t", labels: {} });
  assertEquals(laidOut.columns.map(({ label }) => label), view.columns.map(({ label }) => label));
});
