import type { Backend, Call, Outcome } from "../backend.ts";
import { endpointOf } from "../endpoint.ts";
import { isRedirect, isSuccess, jsonBodyOf, statusOutcome } from "./http_outcome.ts";
import { type HttpAnswer, HttpClient } from "./http_client.ts";
import { JSON_RPC_MEMBERS, readJsonRpcReply } from "./json_rpc_reply.ts";

export interface JsonRpcOptions {
  /** Where requests are posted. Its userinfo becomes an `Authorization: Basic` header. */
  url: string;
  headers?: Readonly<Record<string, string>>;
  /** Most bytes of an answer, after decompression. */
  maxResponseBytes: number;
  /** Default: the runtime's. */
  fetch?: typeof fetch;
}

/**
 * A backend that speaks JSON-RPC 2.0 over HTTP POST. Any content type is accepted, if the body is
 * JSON-RPC. Redirects are not followed: a POST would be sent again to a place nobody configured.
 *
 * @throws {RangeError} If an option is out of range.
 */
export function createJsonRpcBackend(options: JsonRpcOptions): Backend {
  return new JsonRpcBackend(options);
}

class JsonRpcBackend implements Backend {
  readonly #peer: HttpClient;
  readonly #url: URL;
  readonly #headers: Headers;
  #lastId = 0;

  constructor(options: JsonRpcOptions) {
    const { url, headers } = endpointOf(options.url, options.headers);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    if (!headers.has("accept")) headers.set("accept", "application/json");
    this.#url = url;
    this.#headers = headers;
    this.#peer = new HttpClient(options);
  }

  async call(call: Call, options: { signal: AbortSignal }): Promise<Outcome> {
    options.signal.throwIfAborted();
    const id = ++this.#lastId;
    const request = encodeRequest(call, id);
    if (!request.ok) return { kind: "rejected", reason: request.why };
    const answer = await this.#peer.ask({
      method: "POST",
      url: this.#url,
      headers: this.#headers,
      body: request.text,
      // A 4xx or 5xx may come with a JSON-RPC error that says more than the status.
      wantsBody: (status) => isSuccess(status) || status >= 400,
    }, options);
    return answer.kind === "unavailable" ? answer : await outcomeOf(answer, id, options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#peer[Symbol.asyncDispose]();
  }
}

type EncodedRequest =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly why: string };

function encodeRequest({ method, params }: Call, id: number): EncodedRequest {
  if (params !== undefined && params !== null && typeof params !== "object") {
    return { ok: false, why: `JSON-RPC params are an object or a list, not a ${typeof params}` };
  }
  try {
    const text = JSON.stringify({ jsonrpc: "2.0", id, method, params: params ?? undefined });
    return { ok: true, text };
  } catch {
    return { ok: false, why: "the call's params have no form in JSON" };
  }
}

async function outcomeOf(
  answer: HttpAnswer,
  id: number,
  { signal }: { signal: AbortSignal },
): Promise<Outcome> {
  const { status } = answer;
  if (isRedirect(status)) {
    return statusOutcome(status, "a POST is not redirected; set 'url' to the final address");
  }
  const json = await jsonBodyOf(answer, { signal, members: JSON_RPC_MEMBERS });
  const reply = json.kind === "json" ? readJsonRpcReply(json.scanned, id) : undefined;
  const complaint = reply?.kind === "error"
    ? `JSON-RPC error ${reply.code}: ${reply.message}`
    : undefined;
  if (!isSuccess(status)) {
    const outcome = statusOutcome(status, complaint);
    // On a 4xx the JSON-RPC error is the whole truth; on 429 and 5xx the status decides.
    const isWhole = outcome.kind === "rejected" && complaint !== undefined;
    return isWhole ? { kind: "rejected", reason: complaint } : outcome;
  }
  if (json.kind === "unavailable") return json;
  if (complaint !== undefined) return { kind: "rejected", reason: complaint };
  if (reply?.kind === "result") return { kind: "ok", value: reply.value };
  const why = reply?.kind === "invalid" ? `: ${reply.why}` : "";
  return { kind: "unavailable", reason: `the answer is not JSON-RPC 2.0${why}` };
}
