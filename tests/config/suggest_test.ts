import { oneOf, suggest } from "../../src/config/suggest.ts";
import { assertEquals } from "../support/assert.ts";

const KEYS = ["channel", "backend", "method", "every", "url"];

Deno.test("suggest() finds a slip of the finger", () => {
  assertEquals(suggest("evry", KEYS), "every");
  assertEquals(suggest("Backends", KEYS), "backend");
  assertEquals(suggest("uri", KEYS), "url");
  assertEquals(suggest("grcp", ["http-json", "grpc"]), "grpc");
});

Deno.test("suggest() keeps quiet when nothing is close", () => {
  assertEquals(suggest("colour", KEYS), undefined);
  assertEquals(suggest("x", KEYS), undefined);
  const long = "x".repeat(65);
  assertEquals(suggest(long, [long]), undefined);
  assertEquals(suggest("every", []), undefined);
});

Deno.test("oneOf() lists what is allowed and what was meant", () => {
  assertEquals(oneOf(["a1", "b1"], "a2"), 'one of a1, b1; did you mean "a1"?');
  assertEquals(oneOf(["a1"], 7), "a1");
});
