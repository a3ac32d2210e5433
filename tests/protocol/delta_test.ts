import foreign from "fast-json-patch";
import { applyPatch } from "../../src/protocol/apply_patch.ts";
import type { JsonText } from "../../src/protocol/codec.ts";
import { makePatch, MAX_PATCHED_CHARS, type PatchOperation } from "../../src/protocol/delta.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";
import { Chance, numberFromEnv, runSeed } from "../support/seed.ts";

function patchOf(before: string, after: string): PatchOperation[] | undefined {
  const patch = makePatch(before as JsonText, after as JsonText);
  return patch === undefined ? undefined : JSON.parse(patch);
}

/** Applies a patch with our own code and with that of others; the text both come to. */
function applied(before: string, patch: readonly PatchOperation[], why = ""): string {
  const value = JSON.parse(before);
  let ours: string;
  try {
    ours = JSON.stringify(applyPatch(value, patch));
  } catch (error) {
    throw new Error(`${why}: ${error}`);
  }
  assert(JSON.stringify(value) === JSON.stringify(JSON.parse(before)), `${why}: it was changed`);
  const copy = JSON.parse(JSON.stringify(patch));
  const theirs = JSON.stringify(foreign.applyPatch(JSON.parse(before), copy, true).newDocument);
  assert(theirs === ours, `${why}: others come to ${theirs}`);
  return ours;
}

Deno.test("makePatch() tells what changed, and no more", () => {
  assertEquals(patchOf('{"a":1,"b":{"c":[1,2,3]}}', '{"a":1,"b":{"c":[1,5,3]}}'), [
    { op: "replace", path: "/b/c/1", value: 5 },
  ]);
  assertEquals(patchOf('{"a":1,"b":2,"c":"a long text"}', '{"b":2,"c":"a long text","d":4}'), [
    { op: "remove", path: "/a" },
    { op: "add", path: "/d", value: 4 },
  ]);
  assertEquals(patchOf('{"a":{"b":1}}', '{"a":{"b":1}}'), []);
  const [rest] = ['"a text so long that it is worth not to be sent again, nor the one after"'];
  assertEquals(patchOf(`[${rest},1,2,3]`, `[${rest},1,3]`), [{ op: "remove", path: "/2" }]);
  assertEquals(patchOf(`[${rest},1,3]`, `[${rest},1,2,3]`), [{ op: "add", path: "/2", value: 2 }]);
});

Deno.test("makePatch() notices a list that has moved on", () => {
  const points = Array.from({ length: 100 }, (_, at) => ({ at, value: at * 7 % 13 }));
  const [before, after] = [points.slice(0, 90), points.slice(3, 93)];
  const patch = patchOf(JSON.stringify({ points: before }), JSON.stringify({ points: after }));
  assertEquals(patch?.map(({ op, path }) => `${op} ${path}`), [
    "remove /points/0",
    "remove /points/0",
    "remove /points/0",
    "add /points/87",
    "add /points/88",
    "add /points/89",
  ]);
});

Deno.test("makePatch() leaves numbers as they were written", () => {
  const before = `{"id":1764000000123456789,"f":1.0,"g":1e999,"rest":"${"x".repeat(100)}"}`;
  const after = before.replace("6789", "6788").replace("1.0", "1").replace("1e999", "-1e999");
  assertEquals(
    makePatch(before as JsonText, after as JsonText),
    '[{"op":"replace","path":"/id","value":1764000000123456788},' +
      '{"op":"replace","path":"/f","value":1},{"op":"replace","path":"/g","value":-1e999}]',
  );
});

Deno.test("makePatch() keeps the order of members, if need be by the whole object", () => {
  const rest = `"rest":"${"x".repeat(100)}"`;
  assertEquals(patchOf(`{${rest},"o":{"a":1,"b":2}}`, `{${rest},"o":{"b":2,"a":1}}`), [
    { op: "replace", path: "/o", value: { b: 2, a: 1 } },
  ]);
  assertEquals(patchOf(`{${rest},"o":{"a":1}}`, `{${rest},"o":{"z":0,"a":1}}`), [
    { op: "replace", path: "/o", value: { z: 0, a: 1 } },
  ]);
  assertEquals(patchOf(`{"a":1,${rest}}`, `{${rest},"a":1}`), undefined, "the value itself");
});

Deno.test("makePatch() writes names as a pointer has them, and steps around unsafe ones", () => {
  const rest = `"rest":"${"x".repeat(200)}"`;
  const names = ["a/b", "m~n", 'q"\\', "", " ", "é\u2028", "\u0000"];
  for (const name of names) {
    const [before, after] = [1, 2].map((n) => `{"o":{${JSON.stringify(name)}:${n}},${rest}}`);
    const patch = patchOf(before ?? "", after ?? "") ?? [];
    assertEquals(patch.length, 1);
    assertEquals(applied(before ?? "", patch), JSON.stringify(JSON.parse(after ?? "")), name);
  }
  for (const name of ["__proto__", "constructor", "prototype"]) {
    const [before, after] = [1, 2].map((n) => `{"o":{"${name}":{"x":${n}}},${rest}}`);
    const patch = patchOf(before ?? "", after ?? "") ?? [];
    assertEquals(patch.map(({ path }) => path), ["/o"], name);
    assertEquals(applied(before ?? "", patch), after);
  }
  // Two ways to write one name, and one name twice: the last one counts.
  const [a, b] = [`{"o":{"a":1,"a":2},${rest}}`, `{"o":{"a":5,"a":2},${rest}}`];
  assertEquals(patchOf(a, b), [{ op: "replace", path: "/o", value: { a: 2 } }]);
  assertEquals(patchOf(`{"\\u0061":1,${rest}}`, `{"a":2,${rest}}`), [
    { op: "replace", path: "/a", value: 2 },
  ]);
});

Deno.test("makePatch() makes none that is not worth it", () => {
  assertEquals(patchOf("1", "2"), undefined);
  assertEquals(patchOf("[1]", '{"a":1}'), undefined);
  const numbers = (by: number) =>
    JSON.stringify(Object.fromEntries(
      Array.from({ length: 50 }, (_, at) => [`n${at}`, at + by]),
    ));
  assertEquals(patchOf(numbers(0), numbers(1)), undefined, "longer than the value");
  const long = `["${"x".repeat(MAX_PATCHED_CHARS)}",1]`;
  assertEquals(patchOf(long, long.replace(",1]", ",2]")), undefined, "too long to look at");
});

Deno.test("makePatch() gives up on what takes too long, however it is nested", () => {
  const nested = (n: number) => `${'{"a":['.repeat(400)}${n}${',"x"]}'.repeat(400)}`;
  const wide = (n: number) => `{"big":"${"x".repeat(900_000)}","deep":${nested(n)}}`;
  const started = performance.now();
  makePatch(wide(1) as JsonText, wide(2) as JsonText);
  makePatch(nested(1) as JsonText, nested(2) as JsonText);
  assert(performance.now() - started < 5000, "it took more than any text may");
});

Deno.test("applyPatch() refuses what does not fit, and changes nothing then", () => {
  const value = { a: [1, 2], b: { c: 1 } };
  const misfits: PatchOperation[] = [
    { op: "remove", path: "/x" },
    { op: "replace", path: "/b/x", value: 1 },
    { op: "replace", path: "/a/2", value: 1 },
    { op: "add", path: "/a/3", value: 1 },
    { op: "add", path: "/a/01", value: 1 },
    { op: "add", path: "/a/b", value: 1 },
    { op: "add", path: "/b/c/d", value: 1 },
    { op: "add", path: "/b/toString/x", value: 1 },
    { op: "add", path: "a", value: 1 },
    { op: "remove", path: "" },
  ];
  for (const each of misfits) {
    assertThrows(
      () => applyPatch(value, [{ op: "replace", path: "/b/c", value: 9 }, each]),
      TypeError,
      "Cannot",
      JSON.stringify(each),
    );
  }
  assertEquals(value, { a: [1, 2], b: { c: 1 } });
  assertEquals(applyPatch(value, [{ op: "add", path: "/a/-", value: 3 }]), {
    a: [1, 2, 3],
    b: { c: 1 },
  });
  assertEquals(applyPatch(1, [{ op: "replace", path: "", value: [2] }]), [2]);
});

Deno.test("applyPatch() shares what has not changed, so that views may compare it", () => {
  const value = { a: { x: 1 }, b: { y: [1] } };
  const next = applyPatch(value, [{ op: "replace", path: "/a/x", value: 2 }]) as typeof value;
  assert(next !== value && next.a !== value.a && next.b === value.b);
});

/** Random JSON values and random changes of them. */
class Values {
  readonly #chance: Chance;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  make(depth = 4): unknown {
    const chance = this.#chance;
    if (depth === 0 || chance.percent(35)) return this.#scalar();
    const length = Math.floor(chance.between(0, 6));
    if (chance.percent(40)) return Array.from({ length }, () => this.make(depth - 1));
    return Object.fromEntries(
      Array.from({ length }, () => [this.#name(), this.make(depth - 1)]),
    );
  }

  /** The same with some of it changed; `rate` is how much, in percent. */
  change(value: unknown, rate: number): unknown {
    const chance = this.#chance;
    if (chance.percent(rate)) return this.make(2);
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) {
      const list = value.map((each) => this.change(each, rate));
      if (chance.percent(rate)) list.splice(Math.floor(chance.between(0, list.length + 1)), 1);
      if (chance.percent(rate)) {
        list.splice(Math.floor(chance.between(0, list.length + 1)), 0, this.make(1));
      }
      if (chance.percent(rate)) list.push(list.shift());
      return list.map((each) => each ?? null);
    }
    const members = Object.entries(value).map(([name, each]) => [name, this.change(each, rate)]);
    if (chance.percent(rate)) members.splice(Math.floor(chance.between(0, members.length)), 1);
    if (chance.percent(rate)) {
      const at = Math.floor(chance.between(0, members.length + 1));
      members.splice(at, 0, [this.#name(), this.make(1)]);
    }
    if (chance.percent(rate / 4)) members.reverse();
    return Object.fromEntries(members);
  }

  #scalar(): unknown {
    const { pick, between } = {
      pick: <T>(choices: readonly T[]) => this.#chance.pick(choices),
      between: (low: number, high: number) => this.#chance.between(low, high),
    };
    return pick([
      () => null,
      () => true,
      () => false,
      () => Math.floor(between(-5, 1000)),
      () => between(-1, 1) * 10 ** Math.floor(between(-9, 20)),
      () => pick(["", "a", "text", 'q"\\/~', "\u2028é😀\ud800", "}{][,:", "x".repeat(50)]),
    ])();
  }

  #name(): string {
    // Not a backslash at the end: V8 15.0 mistakes `"\""` for such a name where it has seen one.
    return this.#chance.pick(
      ["a", "b", "c", "dd", "e/f", "g~h", '"', "i\\j", "", "10", "2", "ü", "constructor", "{"],
    );
  }
}

/** How many pairs; more by `HOLDFAST_DELTA_PAIRS=1000000`. */
const PAIRS = numberFromEnv("HOLDFAST_DELTA_PAIRS", 10_000);

Deno.test(`makePatch() leads from any value to any other, by others' hands too (${PAIRS} pairs)`, () => {
  const chance = new Chance(runSeed("delta"));
  const values = new Values(chance);
  let patches = 0;
  let longer = 0;
  for (let nth = 0; nth < PAIRS; nth++) {
    const value = values.make();
    const before = JSON.stringify(value);
    const after = JSON.stringify(chance.percent(10) ? values.make() : values.change(value, 8));
    const patch = patchOf(before, after);
    if (patch === undefined) continue;
    patches += 1;
    if (JSON.stringify(patch).length > after.length) longer += 1;
    const why = `seed ${chance.seed}, pair ${nth}: ${before} to ${after} by ${
      JSON.stringify(patch)
    }`;
    assert(applied(before, patch, why) === JSON.stringify(JSON.parse(after)), why);
  }
  assert(patches > PAIRS / 4, `only ${patches}`);
  assert(longer < patches);
});
