import { logOf } from "../telemetry/log.ts";
import { failure, type Method, type MethodAnswer, RPC_CODE } from "./answer.ts";

/** Most requests in one batch; a larger one is refused as a whole. */
export const MAX_BATCH = 32;

/** Longest piece of a client's own text that is repeated to it, in characters. */
const MAX_EXCERPT = 80;

/** A request's text, read. */
export type RpcRequests =
  | { readonly kind: "one"; readonly request: unknown }
  | { readonly kind: "batch"; readonly requests: readonly unknown[] }
  /** Nothing in it can be answered but with this error. */
  | { readonly kind: "bad"; readonly error: MethodAnswer };

/** Reads a JSON-RPC 2.0 body: one request or a batch. Never throws. */
export function parseRpc(text: string): RpcRequests {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return bad(RPC_CODE.parseError, "Parse error: the body is not JSON");
  }
  if (!Array.isArray(parsed)) return { kind: "one", request: parsed };
  if (parsed.length === 0) return bad(RPC_CODE.invalidRequest, "Invalid Request: an empty batch");
  if (parsed.length > MAX_BATCH) {
    const message =
      `Invalid Request: a batch of ${parsed.length}; at most ${MAX_BATCH} are allowed`;
    return bad(RPC_CODE.invalidRequest, message);
  }
  return { kind: "batch", requests: parsed };
}

/** The methods that requests call, as far as they can be told. */
export function methodsOf(requests: RpcRequests): string[] {
  const all = requests.kind === "batch"
    ? requests.requests
    : requests.kind === "one"
    ? [requests.request]
    : [];
  return all.flatMap((each) =>
    isObject(each) && typeof each.method === "string" ? each.method : []
  );
}

export interface AnswerRpcOptions {
  methods: ReadonlyMap<string, Method>;
  signal: AbortSignal;
}

/**
 * Answers what {@linkcode parseRpc} read. Gives the body's text, or `undefined` where there is
 * nothing to say because only notifications came. Never throws; what a method throws is told as
 * an internal error, its reason in the log alone.
 */
export async function answerRpc(
  requests: RpcRequests,
  options: AnswerRpcOptions,
): Promise<string | undefined> {
  switch (requests.kind) {
    case "bad":
      return replyText(null, requests.error);
    case "one":
      return await answerOne(requests.request, options);
    case "batch": {
      const replies = await Promise.all(
        requests.requests.map((request) => answerOne(request, options)),
      );
      const told = replies.filter((reply) => reply !== undefined);
      return told.length === 0 ? undefined : `[${told.join(",")}]`;
    }
  }
}

/** A JSON-RPC error as a body's text, for a request whose id is not known. */
export function rpcErrorText(code: number, message: string): string {
  return replyText(null, failure(code, message));
}

async function answerOne(
  request: unknown,
  options: AnswerRpcOptions,
): Promise<string | undefined> {
  const checked = checkRequest(request);
  if ("wrong" in checked) {
    return replyText(null, failure(RPC_CODE.invalidRequest, `Invalid Request: ${checked.wrong}`));
  }
  const { id, method, params } = checked;
  const answer = await call(method, params, options);
  return id === undefined ? undefined : replyText(id, answer);
}

type RequestId = string | number | null;

type CheckedRequest =
  | { readonly id: RequestId | undefined; readonly method: string; readonly params: unknown }
  | { readonly wrong: string };

/** Section 4 of JSON-RPC 2.0; a request without an `id` is a notification. */
function checkRequest(request: unknown): CheckedRequest {
  if (!isObject(request)) return { wrong: "a request is an object" };
  const { jsonrpc, id, method, params } = request;
  if (jsonrpc !== "2.0") return { wrong: `"jsonrpc" must be "2.0"` };
  if (typeof method !== "string") return { wrong: `"method" must be a string` };
  if (params !== undefined && (typeof params !== "object" || params === null)) {
    return { wrong: `"params" must be an object or a list` };
  }
  // A number too large for JSON's reader arrives as Infinity and could not be repeated.
  const isId = id === undefined || id === null || typeof id === "string" || Number.isFinite(id);
  if (!isId) return { wrong: `"id" must be a string, a number or null` };
  return { id: id as RequestId | undefined, method, params };
}

async function call(
  name: string,
  params: unknown,
  { methods, signal }: AnswerRpcOptions,
): Promise<MethodAnswer> {
  const method = methods.get(name);
  if (method === undefined) {
    const known = [...methods.keys()].join(", ");
    const message = `Method not found: ${excerpt(name)}; there are ${known}`;
    return failure(RPC_CODE.methodNotFound, message);
  }
  try {
    return await method(params, { signal });
  } catch (error) {
    logOf("demo").error("rpc.failed", { method: name, why: error });
    return failure(RPC_CODE.internalError, "Internal error; the backend's log says why");
  }
}

function replyText(id: RequestId, answer: MethodAnswer): string {
  if (answer.ok) {
    return JSON.stringify({ jsonrpc: "2.0", id, result: answer.value ?? null });
  }
  const { code, message } = answer;
  return JSON.stringify({ jsonrpc: "2.0", id, error: { code, message } });
}

function bad(code: number, message: string): RpcRequests {
  return { kind: "bad", error: failure(code, message) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function excerpt(text: string): string {
  return JSON.stringify(text.length > MAX_EXCERPT ? `${text.slice(0, MAX_EXCERPT)}…` : text);
}
