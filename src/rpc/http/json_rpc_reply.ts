/** What a JSON value is, read as the answer to one JSON-RPC 2.0 request. */
export type JsonRpcReply =
  | { readonly kind: "result"; readonly value: unknown }
  | { readonly kind: "error"; readonly code: number; readonly message: string }
  /** It is not an answer to this request. */
  | { readonly kind: "invalid"; readonly why: string };

/** Longest error message that is passed on, in characters. */
const MAX_ERROR_MESSAGE = 200;

/**
 * Reads a JSON value as the answer to the request `id` (JSON-RPC 2.0, section 5). A `null` beside
 * the member that counts (`"error": null`, as version 1.0 had it) is overlooked: it leaves no doubt
 * what is meant. `result` and `error` both with a value do, and are no answer.
 */
export function readJsonRpcReply(value: unknown, id: number): JsonRpcReply {
  if (Array.isArray(value)) return invalid("a batch, though one call was made");
  if (!isObject(value)) return invalid("not an object");
  if (value.jsonrpc !== "2.0") return invalid(`"jsonrpc" is not "2.0"`);
  const { error } = value;
  const hasError = error !== undefined && error !== null;
  // A server that could not read the request answers with an error and no id.
  if (value.id !== id && !(hasError && value.id === null)) {
    return invalid("its id is not the call's");
  }
  if (!hasError) {
    return "result" in value
      ? { kind: "result", value: value.result }
      : invalid(`neither "result" nor "error"`);
  }
  if (value.result !== undefined && value.result !== null) {
    return invalid(`both "result" and "error"`);
  }
  if (!isObject(error) || !Number.isInteger(error.code)) {
    return invalid(`its "error" has no integer "code"`);
  }
  return { kind: "error", code: Number(error.code), message: shortened(error.message) };
}

function invalid(why: string): JsonRpcReply {
  return { kind: "invalid", why };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A message fit for one log line. */
function shortened(message: unknown): string {
  if (typeof message !== "string" || message === "") return "no message";
  const line = message.slice(0, 4 * MAX_ERROR_MESSAGE).replace(/[\p{Cc}\s]+/gu, " ").trim();
  return line.length > MAX_ERROR_MESSAGE ? `${line.slice(0, MAX_ERROR_MESSAGE)}…` : line;
}
