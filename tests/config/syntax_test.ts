import { assert, assertEquals, assertFalse } from "../support/assert.ts";
import { configOf, linesOf } from "./support.ts";

const yaml = { format: "yaml" } as const;

Deno.test("parseSyntax() reads comments and trailing commas in JSON", () => {
  const text = `{ // one\n "log": { "level": "debug", }, /* two */ }`;
  assertEquals(configOf(text).log.level, "debug");
});

Deno.test("parseSyntax() reads YAML with anchors and merges", () => {
  const text = [
    "backends:",
    "  core: &core",
    "    transport: json-rpc",
    "    url: http://127.0.0.1:9090/rpc",
    "    retry: { attempts: 5 }",
    "  other:",
    "    <<: *core",
    "    timeout: 1s",
    "sources:",
    "  - { channel: system_status, backend: other, method: Get, every: 2s }",
  ].join("\n");
  const { core, other } = configOf(text, yaml).backends;
  assertEquals([core?.retry.attempts, core?.timeout], [5, 5000]);
  assertEquals([other?.retry.attempts, other?.timeout], [5, 1000]);
});

Deno.test("parseSyntax() ignores a byte order mark", () => {
  configOf("\ufeff{}");
  configOf("\ufefftrust_proxy: true", yaml);
});

Deno.test("parseSyntax() refuses what is no object at the top", () => {
  const expected = "; expected an object of settings; `holdfast config example` prints one";
  for (const format of ["jsonc", "yaml"] as const) {
    assertEquals(linesOf("", { format }), [`found an empty file${expected}`]);
    assertEquals(linesOf(" \n\t", { format }), [`found an empty file${expected}`]);
    assertEquals(linesOf("null", { format }), [`found null at the top${expected}`]);
    assertEquals(linesOf("[]", { format }), [`found a list at the top${expected}`]);
    assertEquals(linesOf("5", { format }), [`found a number at the top${expected}`]);
  }
  assertEquals(linesOf("# nothing but a comment", yaml), [`found null at the top${expected}`]);
});

Deno.test("parseSyntax() tells line and column of a slip in JSON", () => {
  const cases: readonly (readonly [string, string])[] = [
    [`{\n  "listen": "x"\n  "log": {}\n}`, "hub.jsonc:3:3: found a string that is out of place"],
    [`{\n  "listen": ]\n}`, `hub.jsonc:2:13: found "]"; expected JSON with comments`],
    [`{\r\n  "trust_proxy": yes }`, "hub.jsonc:2:18: found something that is no JSON value"],
    [`{\n  "listen": "x`, "hub.jsonc:2:13: found a string that is out of place"],
    [`{\n  "log": {\n`, "hub.jsonc:2:11: found the end of the file too early"],
    [`{} {}`, `hub.jsonc:1:4: found "{"`],
    [`// just a comment`, "hub.jsonc:1:18: found the end of the file too early"],
  ];
  for (const [text, start] of cases) {
    const [line = "", ...more] = linesOf(text);
    assertEquals(more, []);
    assertEquals(line.slice(0, start.length), start);
  }
});

Deno.test("parseSyntax() tells line and column of a slip in YAML", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["log:\n  level: info\n format: json", /^hub\.jsonc:3:1: found indentation that does not fit/],
    ["log: {}\nlog: {}", /^hub\.jsonc:2:1: found the key "log" a second time/],
    ["log: *nobody", /^hub\.jsonc:1:6: found an alias \(\*…\) without an anchor/],
    ["log: {}\n---\nlog: {}", /^hub\.jsonc:2:1: found a second document/],
    ["log: !!js/function 'x'", /^hub\.jsonc:1:6: found a tag \(!…\) that is not known/],
    ["log:\n\tlevel: info", /^hub\.jsonc:2:1: found a tab that indents; expected spaces/],
    ["log: b: c", /^hub\.jsonc:1:6: found a second ": " in one line/],
    ["log: @x", /^hub\.jsonc:1:6: found a value that begins with @/],
    ["? [a]\n: 1", /^hub\.jsonc:1:3: found a key that is a list or an object/],
    ["log: {", /^hub\.jsonc:1:\d+: found .*a bracket that is not closed/],
  ];
  for (const [text, pattern] of cases) {
    const [line = "", ...more] = linesOf(text, yaml);
    assertEquals(more, []);
    assert(pattern.test(line), line);
  }
});

Deno.test("parseSyntax() never quotes a text that it cannot read", () => {
  const texts = [
    [`{ "auth": { "tokens": [ { "token": hunter2 } ] } }`, "jsonc"],
    [`{ "auth": { "tokens": [ { "token" "hunter2" } ] } }`, "jsonc"],
    [`{ "token": "a\\hunter2" }`, "jsonc"],
    ["token: 'hunter2", "yaml"],
    ["token: { hunter2: ${X} }", "yaml"],
    ["token: !hunter2 x", "yaml"],
    ["token: *hunter2", "yaml"],
    ["token: |\n  hunter2\n bad", "yaml"],
    ['token: "\\hunter2"', "yaml"],
    ["%hunter2 x\n%TAG !hunter2 x", "yaml"],
  ] as const;
  for (const [text, format] of texts) {
    const lines = linesOf(text, { format });
    assert(lines.length > 0, text);
    assertFalse(lines.join("\n").includes("hunter2"), lines.join("\n"));
  }
});

Deno.test("parseSyntax() refuses a key that stands twice", () => {
  const text = `{
    "log": { "level": "info" /* : */, "format": "json", "level": "debug" },
    "hub": {}, "state": {}, // "log": {}
    "l\\u006fg": {}
  }`;
  assertEquals(linesOf(text), [
    'hub.jsonc:2:57: found the key "level" a second time; expected each key once in its object',
    'hub.jsonc:4:5: found the key "log" a second time; expected each key once in its object',
  ]);
});

Deno.test("parseSyntax() survives nesting that no stack can hold", () => {
  const lists = "[".repeat(300_000) + "]".repeat(300_000);
  const expected = ["found nesting too deep to read; expected a flatter file"];
  assertEquals(linesOf(`{"a":${lists}}`), expected);
  assertEquals(linesOf(`a: ${lists}`, yaml), expected);
});
