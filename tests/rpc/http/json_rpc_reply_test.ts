import type { JsonText } from "../../../src/protocol/codec.ts";
import { scanJson } from "../../../src/protocol/json_scanner.ts";
import {
  JSON_RPC_MEMBERS,
  type JsonRpcReply,
  readJsonRpcReply,
} from "../../../src/rpc/http/json_rpc_reply.ts";
import { assert, assertEquals } from "../../support/assert.ts";

const ok = { jsonrpc: "2.0", id: 7 };

/** What a value is, sent as JSON, as the answer to a request. */
function replyOf(value: unknown, id: number): JsonRpcReply {
  const scanned = scanJson(JSON.stringify(value), { members: JSON_RPC_MEMBERS });
  assert(scanned.ok);
  return readJsonRpcReply(scanned, id);
}

const error = { code: -32601, message: "Method not found" };

Deno.test("readJsonRpcReply() gives the result, null included", () => {
  assertEquals(replyOf({ ...ok, result: [1] }, 7), { kind: "result", value: "[1]" as JsonText });
  assertEquals(replyOf({ ...ok, result: null }, 7), { kind: "result", value: "null" as JsonText });
});

Deno.test("readJsonRpcReply() gives the error, also with the id that could not be read", () => {
  const expected = { kind: "error", ...error } as const;
  assertEquals(replyOf({ ...ok, error }, 7), expected);
  assertEquals(replyOf({ ...ok, id: null, error }, 7), expected);
});

Deno.test("C21: readJsonRpcReply() takes an error without an id for an answer", () => {
  assertEquals(replyOf({ jsonrpc: "2.0", error }, 7), { kind: "error", ...error });
});

Deno.test("readJsonRpcReply() overlooks a null beside the member that counts", () => {
  assertEquals(replyOf({ ...ok, result: 1, error: null }, 7), {
    kind: "result",
    value: "1" as JsonText,
  });
  assertEquals(replyOf({ ...ok, result: null, error }, 7).kind, "error");
});

const invalid: [string, unknown, RegExp][] = [
  ["another id", { ...ok, id: 8, result: 1 }, /id/],
  ["the id as text", { ...ok, id: "7", result: 1 }, /id/],
  ["no id", { jsonrpc: "2.0", result: 1 }, /id/],
  ["a null id with a result", { ...ok, id: null, result: 1 }, /id/],
  ["another call's error", { ...ok, id: 8, error }, /id/],
  ["no version", { id: 7, result: 1 }, /"jsonrpc"/],
  ["version 1.0", { ...ok, jsonrpc: "1.0", result: 1 }, /"jsonrpc"/],
  ["the version as number", { ...ok, jsonrpc: 2.0, result: 1 }, /"jsonrpc"/],
  ["result and error", { ...ok, result: 1, error }, /both/],
  ["neither", ok, /neither/],
  ["a null error alone", { ...ok, error: null }, /neither/],
  ["an error without code", { ...ok, error: { message: "no" } }, /code/],
  ["an error with a fraction as code", { ...ok, error: { code: 1.5, message: "no" } }, /code/],
  ["an error that is text", { ...ok, error: "no" }, /code/],
  ["a batch", [{ ...ok, result: 1 }], /batch/],
  ["text", "hello", /object/],
  ["null", null, /object/],
];
for (const [name, value, why] of invalid) {
  Deno.test(`readJsonRpcReply() does not take ${name} for an answer`, () => {
    const reply = replyOf(value, 7);
    assert(reply.kind === "invalid" && why.test(reply.why), JSON.stringify(reply));
  });
}

Deno.test("readJsonRpcReply() makes one short line of an error's message", () => {
  const long = { code: 1, message: `line\n\u0007two ${"x".repeat(10_000)}` };
  const reply = replyOf({ ...ok, error: long }, 7);
  assert(reply.kind === "error");
  assertEquals(reply.message.length, 201);
  assert(reply.message.startsWith("line two x"));
  const none = replyOf({ ...ok, error: { code: 1 } }, 7);
  assertEquals(none, { kind: "error", code: 1, message: "no message" });
});
