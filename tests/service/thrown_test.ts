import { describeThrown } from "../../src/service/thrown.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test("describeThrown() tells an error's name, message, causes and calls", () => {
  const error = new TypeError("fetch failed", {
    cause: new Error("reset", { cause: new RangeError("too far", { cause: "a text" }) }),
  });
  const { why, stack } = describeThrown(error);
  assertEquals(
    why,
    "TypeError: fetch failed; because of Error: reset; because of RangeError: too far; because of a text",
  );
  assert(stack[0]?.startsWith("at ") && stack[0].includes("thrown_test.ts"), stack[0]);
});

Deno.test("describeThrown() tells what is no error as it is", () => {
  const cases: [unknown, string][] = [
    [undefined, "undefined"],
    [null, "null"],
    ["gone", "gone"],
    [404, "404"],
    [Symbol("gone"), "Symbol(gone)"],
    [{ a: 1 }, "[object Object]"],
    [new DOMException("given up", "AbortError"), "AbortError: given up"],
  ];
  for (const [thrown, why] of cases) assertEquals(describeThrown(thrown).why, why);
  assertEquals(describeThrown("gone").stack, []);
});

Deno.test("describeThrown() never throws", () => {
  const fail = () => {
    throw new Error("no");
  };
  const hostile = new Error("x");
  Object.defineProperty(hostile, "message", { get: fail });
  const proxy = new Proxy({}, { get: fail, getPrototypeOf: fail });
  for (const thrown of [hostile, proxy, { toString: fail }, Object.create(null)]) {
    assertEquals(describeThrown(thrown), { why: "something that cannot be shown", stack: [] });
  }
});

Deno.test("describeThrown() is bounded, one line each, whatever an error holds", () => {
  const error = new Error("two\nlines ".repeat(1_000_000));
  error.stack = `Error\n${`    at ${"f".repeat(1000)} (x.ts:1:1)\n`.repeat(1000)}`;
  const cycle = new Error("cycle");
  cycle.cause = cycle;
  for (const thrown of [error, cycle]) {
    const { why, stack } = describeThrown(thrown);
    assert(why.length <= 2100 && !why.includes("\n"), String(why.length));
    assert(stack.length <= 8, String(stack.length));
    for (const frame of stack) assert(frame.length <= 201 && !frame.includes("\n"), frame);
  }
});

Deno.test("describeThrown() shows no secret of a message, in no part of it", () => {
  const url = "https://me:pass-word-1@host/rpc?key=pass-word-2";
  const error = new TypeError(`no answer from ${url}`, { cause: new Error(`token=pass-word-3`) });
  const text = JSON.stringify(describeThrown(error));
  assert(text.includes("https://host/rpc") && !text.includes("pass-word"), text);
});
