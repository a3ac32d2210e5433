import { layOut } from "../../src/page/values/json_text.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("layOut() changes nothing but the space between tokens", () => {
  const json = '{"a":[1764000000123456789,1e999,"x{,:[\\"y"],"b":{},"c":[],"d":null}';
  const { text, isCut } = layOut(json);
  assertEquals(isCut, false);
  assertEquals(
    text,
    '{\n  "a": [\n    1764000000123456789,\n    1e999,\n    "x{,:[\\"y"\n  ],\n  "b": {},\n  "c": [],\n  "d": null\n}',
  );
});

Deno.test("layOut() takes any depth and any length", () => {
  const deep = "[".repeat(90_000) + "]".repeat(90_000);
  assertEquals(layOut(deep).text.replace(/\s/g, ""), deep);
  assertEquals(layOut(`"${"x".repeat(300_000)}"`).isCut, true);
});
