import type { Backend, Call, Outcome } from "../backend.ts";
import { endpointOf, withHeaders } from "../endpoint.ts";
import { type HttpAnswer, HttpClient, type HttpClientOptions } from "./http_client.ts";
import { jsonBodyOf, statusOutcome } from "./http_outcome.ts";
import { isRedirect, isSuccess } from "./http_status.ts";
import { JsonRpcBatches } from "./json_rpc_batch.ts";
import { JSON_RPC_MEMBERS, outcomeOfReply, readJsonRpcReply } from "./json_rpc_reply.ts";

export interface JsonRpcOptions extends HttpClientOptions {
  /** Where requests are posted. Its userinfo becomes an `Authorization: Basic` header. */
  url: string;
  headers?: Readonly<Record<string, string>>;
  /** Whether calls made at the same time share one request. Default false. */
  batch?: boolean;
  /** Batches under way at a time. Default 8. */
  maxInFlight?: number;
}

/** What `max_in_flight` is by default. */
const MAX_IN_FLIGHT = 8;

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
  readonly #client: HttpClient;
  readonly #url: URL;
  readonly #headers: Headers;
  readonly #batches: JsonRpcBatches | undefined;
  #lastId = 0;

  constructor(options: JsonRpcOptions) {
    const { url, headers } = endpointOf(options.url, options.headers);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    if (!headers.has("accept")) headers.set("accept", "application/json");
    this.#url = url;
    this.#headers = headers;
    this.#client = new HttpClient(options);
    if (options.batch === true) {
      const { maxInFlight = MAX_IN_FLIGHT } = options;
      this.#batches = new JsonRpcBatches({
        maxInFlight,
        post: (body, options) => this.#client.ask({ method: "POST", url, headers, body }, options),
      });
    }
  }

  async call(call: Call, options: { signal: AbortSignal }): Promise<Outcome> {
    options.signal.throwIfAborted();
    const id = ++this.#lastId;
    const request = encodeRequest(call, id);
    if (!request.ok) return { kind: "rejected", reason: request.why };
    const headers = withHeaders(this.#headers, call.headers);
    // A call with headers of its own cannot share a request.
    return this.#batches !== undefined && call.headers === undefined
      ? await this.#batches.call({ id, text: request.text }, options)
      : await this.#callAlone({ id, text: request.text, headers }, options);
  }

  describe({ method }: Call): string {
    return `POST ${this.#url.origin}${this.#url.pathname} ${method}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#batches?.[Symbol.dispose]();
    await this.#client[Symbol.asyncDispose]();
  }

  async #callAlone(
    { id, text, headers }: { id: number; text: string; headers: Headers },
    options: { signal: AbortSignal },
  ): Promise<Outcome> {
    const request = { method: "POST", url: this.#url, headers, body: text } as const;
    const answer = await this.#client.ask(request, options);
    return answer.kind === "unavailable" ? answer : await outcomeOf(answer, id, options);
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
    return statusOutcome(answer, "a POST is not redirected; set 'url' to the final address");
  }
  const json = await jsonBodyOf(answer, { signal, members: JSON_RPC_MEMBERS });
  const reply = json.kind === "json" ? readJsonRpcReply(json.scanned, id) : undefined;
  if (isSuccess(status)) return reply === undefined ? json as Outcome : outcomeOfReply(reply);
  if (reply?.kind !== "error") return statusOutcome(answer);
  // On a 4xx the JSON-RPC error is the whole truth; on 429 and 5xx the status decides.
  const complaint = outcomeOfReply(reply);
  const outcome = statusOutcome(answer, complaint.kind === "ok" ? undefined : complaint.reason);
  return outcome.kind === "rejected" ? complaint : outcome;
}
