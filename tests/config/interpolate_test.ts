import { interpolate, MAX_VALUES } from "../../src/config/interpolate.ts";
import { pathText } from "../../src/config/tree.ts";
import { describeProblem } from "../../src/config/problems.ts";
import { assert, assertEquals, assertStrictEquals } from "../support/assert.ts";
import { configOf, CORE, linesOf, SOURCE } from "./support.ts";

function put(value: unknown, env: Record<string, string | undefined> = {}) {
  const { problems, ...rest } = interpolate(value, { env });
  return {
    ...rest,
    lines: problems.map(({ path, found, expected }) =>
      describeProblem({
        where: "f",
        ...(path.length === 0 ? {} : { path: pathText(path) }),
        found,
        expected,
      })
    ),
  };
}

Deno.test("interpolate() puts variables into every string value", () => {
  const { tree, lines } = put(
    { a: "x ${ONE} ${TWO_2}", list: ["${ONE}", 5], "${ONE}": { deep: "${EMPTY}!" } },
    { ONE: "1", TWO_2: "2", EMPTY: "" },
  );
  assertEquals(lines, []);
  assertEquals(tree, { a: "x 1 2", list: ["1", 5], "${ONE}": { deep: "!" } });
});

Deno.test("interpolate() does not look for variables in a variable's value", () => {
  assertEquals(put({ a: "${ONE}" }, { ONE: "${TWO} $1 $&" }).tree, { a: "${TWO} $1 $&" });
});

Deno.test("interpolate() takes $${ for a literal ${", () => {
  assertEquals(put({ a: "$${HOME} $HOME $ {x} 5$" }).tree, { a: "${HOME} $HOME $ {x} 5$" });
});

Deno.test("interpolate() names each variable that is not set", () => {
  assertEquals(put({ a: ["${NOPE}"], b: "${NOPE} ${ALSO}" }, { ALSO: undefined }).lines, [
    "f: a[0]: found ${NOPE}, which is not set; expected the environment variable NOPE to be set",
    "f: b: found ${NOPE}, which is not set; expected the environment variable NOPE to be set",
    "f: b: found ${ALSO}, which is not set; expected the environment variable ALSO to be set",
  ]);
});

Deno.test("interpolate() does not find variables on a prototype", () => {
  assertEquals(put({ a: "${constructor}" }).lines.length, 1);
});

Deno.test("interpolate() refuses a reference that is none", () => {
  for (const text of ["${", "${}", "${A-B}", "${1A}", "${A", "${A:-x}"]) {
    assertEquals(put({ a: text }, { A: "x" }).lines, [
      "f: a: found a ${ that no variable's name and } follow; expected ${NAME} for a variable's " +
      "value, or $${ for a literal ${",
    ]);
  }
});

Deno.test("interpolate() says only of a missing variable that it is missing", () => {
  assertEquals(linesOf({ backends: { core: { ...CORE, url: "${CORE_URL}" } } }), [
    "backends.core.url: found ${CORE_URL}, which is not set; expected the environment variable " +
    "CORE_URL to be set",
  ]);
});

Deno.test("interpolate() remembers which values hold a variable's", () => {
  const { fromEnv } = put({ a: "${X}", b: ["$${X}", "x${X}"] }, { X: "1" });
  assertEquals([...fromEnv], ["a", "b[1]"]);
});

Deno.test("interpolate() refuses keys that reach for a prototype", () => {
  for (const text of [`{"__proto__":{"listen":"x:1"}}`, `{"hub":{"__proto__":{"a":1}}}`]) {
    const [line = "", ...more] = linesOf(text);
    assertEquals(more, []);
    assert(line.includes("__proto__: found a key that is not allowed"), line);
  }
  const params = `{"deep":[{"__proto__":{"polluted":1}}]}`;
  const source = JSON.stringify(SOURCE).replace("{", `{"params":${params},`);
  assertEquals(linesOf(`{"backends":{"core":${JSON.stringify(CORE)}},"sources":[${source}]}`), [
    "sources[0].params.deep[0].__proto__: found a key that is not allowed; expected another name",
  ]);
  assertStrictEquals(Reflect.get({}, "polluted"), undefined);
  assertEquals(linesOf("__proto__: { polluted: 1 }", { format: "yaml" }).length, 1);
});

Deno.test("interpolate() refuses values that JSON has no form for", () => {
  const text = [
    "backends: { core: { transport: json-rpc, url: http://x } }",
    "sources:",
    "  - { channel: a, backend: core, method: m, params: { day: 2025-01-01, n: .nan, i: .inf } }",
    "  - { channel: b, backend: core, method: m, params: !!binary aGk= }",
  ].join("\n");
  const quote = "expected a JSON value; put it in quotes to make it a string";
  assertEquals(linesOf(text, { format: "yaml" }), [
    "sources[0].params.n: found NaN; expected a finite number",
    "sources[0].params.i: found Infinity; expected a finite number",
    `sources[1].params: found a value that JSON has no form for; ${quote}`,
  ]);
});

Deno.test("interpolate() counts a YAML alias each time it is used", () => {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let level = 1; level < 12; level++) {
    const refs = Array(10).fill(`*a${level - 1}`).join(", ");
    lines.push(`a${level}: &a${level} [${refs}]`);
  }
  assertEquals(linesOf(lines.join("\n"), { format: "yaml" }), [
    `found more than ${MAX_VALUES} values; expected fewer`,
  ]);
});

Deno.test("interpolate() counts a long string that is repeated by alias", () => {
  const text = `a: &a "${"x".repeat(500_000)}"\nb: [${Array(1000).fill("*a").join(", ")}]`;
  assertEquals(linesOf(text, { format: "yaml" }), [
    `found more than ${MAX_VALUES} values; expected fewer`,
  ]);
});

Deno.test("interpolate() refuses a circle", () => {
  assertEquals(linesOf("a: &a [*a, *a]", { format: "yaml" }), [
    "a[0][0]: found nesting deeper than 32; expected less of it, and no circles",
  ]);
});

Deno.test("configSchema gets values as variables made them", () => {
  const config = configOf(
    {
      listen: "${HOST}:8787",
      backends: {
        core: { ...CORE, headers: { authorization: "Bearer ${CORE_TOKEN}" }, timeout: "${T}s" },
      },
    },
    { env: { HOST: "0.0.0.0", CORE_TOKEN: "s3cret", T: "7" } },
  );
  const core = config.backends["core"];
  assert(core?.transport === "json-rpc");
  assertEquals(config.listen.hostname, "0.0.0.0");
  assertEquals([core.headers, core.timeout], [{ authorization: "Bearer s3cret" }, 7000]);
});
