import type { JsonText } from "../../protocol/codec.ts";
import type { Outcome } from "../backend.ts";
import { type JsonKind, scanJson } from "../../protocol/json_scanner.ts";

/** What a JSON value is, read as the answer to one JSON-RPC 2.0 request. */
export type JsonRpcReply =
  | { readonly kind: "result"; readonly value: JsonText }
  | { readonly kind: "error"; readonly code: number; readonly message: string }
  /** It is not an answer to this request. */
  | { readonly kind: "invalid"; readonly why: string };

/** The members that {@linkcode readJsonRpcReply} looks at. */
export const JSON_RPC_MEMBERS = ["jsonrpc", "id", "result", "error"] as const;

/** JSON as far as it was read: what it is, and its members. */
export interface JsonRpcEnvelope {
  readonly kind: JsonKind;
  readonly members: ReadonlyMap<string, JsonText>;
}

/** Longest error message that is passed on, in characters. */
const MAX_ERROR_MESSAGE = 200;

/** Longest text of an `id`, `code` or `jsonrpc` that is looked at; ours are shorter. */
const MAX_SCALAR = 64;

/**
 * Reads JSON as the answer to the request `id` (JSON-RPC 2.0, section 5). A `null` beside the
 * member that counts (`"error": null`, as version 1.0 had it) is overlooked: it leaves no doubt
 * what is meant. `result` and `error` both with a value do, and are no answer. The result is never
 * made a value of: it is the server's own text.
 */
export function readJsonRpcReply({ kind, members }: JsonRpcEnvelope, id: number): JsonRpcReply {
  if (kind === "list") return invalid("a batch, though one call was made");
  if (kind !== "object") return invalid("not an object");
  if (scalarOf(members.get("jsonrpc")) !== "2.0") return invalid(`"jsonrpc" is not "2.0"`);
  const error = members.get("error");
  const hasError = error !== undefined && error !== "null";
  const replyId = members.get("id");
  if (scalarOf(replyId) !== id) {
    // A server that could not read the request answers with an error and without its id.
    const isForUs = hasError && (replyId === undefined || replyId === "null");
    if (!isForUs) return invalid("its id is not the call's");
  }
  const result = members.get("result");
  if (!hasError) {
    return result === undefined
      ? invalid(`neither "result" nor "error"`)
      : { kind: "result", value: result };
  }
  if (result !== undefined && result !== "null") return invalid(`both "result" and "error"`);
  return readError(error);
}

function readError(error: JsonText): JsonRpcReply {
  const scanned = scanJson(error, { members: ["code", "message"] });
  const code = scanned.ok ? scalarOf(scanned.members.get("code")) : undefined;
  if (!scanned.ok || !Number.isInteger(code)) {
    return invalid(`its "error" has no integer "code"`);
  }
  return { kind: "error", code: Number(code), message: shortened(scanned.members.get("message")) };
}

function invalid(why: string): JsonRpcReply {
  return { kind: "invalid", why };
}

/** A short string or number; `undefined` for anything else. */
function scalarOf(text: JsonText | undefined): unknown {
  if (text === undefined || text.length > MAX_SCALAR || /^[[{]/.test(text)) return undefined;
  return JSON.parse(text);
}

/** A message fit for one log line. */
function shortened(text: JsonText | undefined): string {
  if (text === undefined || !text.startsWith(`"`) || text === `""`) return "no message";
  const message: string = JSON.parse(text);
  const line = message.slice(0, 4 * MAX_ERROR_MESSAGE).replace(/[\p{Cc}\s]+/gu, " ").trim();
  return line.length > MAX_ERROR_MESSAGE ? `${line.slice(0, MAX_ERROR_MESSAGE)}…` : line;
}

/** What an answer to a call comes to. */
export function outcomeOfReply(reply: JsonRpcReply): Outcome {
  switch (reply.kind) {
    case "result":
      return { kind: "ok", value: reply.value };
    case "error":
      return { kind: "rejected", reason: `JSON-RPC error ${reply.code}: ${reply.message}` };
    case "invalid":
      return { kind: "unavailable", reason: `the answer is not JSON-RPC 2.0: ${reply.why}` };
  }
}
