import type { JsonText } from "../../protocol/codec.ts";
import type { Backend, Call, Outcome } from "../backend.ts";
import { endpointOf, withHeaders } from "../endpoint.ts";
import { HttpClient, type HttpClientOptions, type HttpRequest } from "./http_client.ts";
import { buildUrl } from "./http_json_url.ts";
import { jsonBodyOf, statusOutcome } from "./http_outcome.ts";
import { isRedirect, isSuccess } from "./http_status.ts";

/** Where redirects may lead: nowhere, to the host that sends them, or anywhere. */
export type RedirectPolicy = "none" | "same_host" | "any";

export interface HttpJsonOptions extends HttpClientOptions {
  /** What methods are put behind. Its userinfo becomes an `Authorization: Basic` header. */
  url: string;
  headers?: Readonly<Record<string, string>>;
  /** Default: "same_host". */
  redirects?: RedirectPolicy;
}

/** Redirects followed for one call; one more and the call is rejected. */
const MAX_REDIRECTS = 5;

/**
 * Addresses whose last value is kept, with its `ETag`, to be asked for anew only if it changed.
 * There is one a source; when there are more, the one not asked for the longest is forgotten.
 */
const MAX_KEPT_VALUES = 1000;

interface KeptValue {
  readonly etag: string;
  readonly value: JsonText;
}

/**
 * A backend whose method is a path: `GET url + method`, or `POST` with the params as the body; the
 * JSON body of the answer is the value. A redirect that leaves the origin takes none of the
 * configured headers along, for any of them may be a secret (the runtime itself would drop
 * `Authorization` and `Cookie` alone).
 *
 * @throws {RangeError} If an option is out of range.
 */
export function createHttpJsonBackend(options: HttpJsonOptions): Backend {
  return new HttpJsonBackend(options);
}

class HttpJsonBackend implements Backend {
  readonly #client: HttpClient;
  readonly #base: URL;
  readonly #headers: Headers;
  readonly #redirects: RedirectPolicy;
  readonly #kept = new Map<string, KeptValue>();

  constructor(options: HttpJsonOptions) {
    const { url, headers } = endpointOf(options.url, options.headers);
    if (!headers.has("accept")) headers.set("accept", ACCEPT);
    this.#base = url;
    this.#headers = headers;
    this.#redirects = options.redirects ?? "same_host";
    this.#client = new HttpClient(options);
  }

  async call(call: Call, options: { signal: AbortSignal }): Promise<Outcome> {
    options.signal.throwIfAborted();
    const built = this.#requestOf(call);
    if (!built.ok) return { kind: "rejected", reason: built.why };
    return await this.#ask(built.request, options);
  }

  describe(call: Call): string {
    const { httpMethod = "GET" } = call;
    const built = buildUrl(this.#base, call.method, undefined);
    const url = built.ok ? built.url : this.#base;
    return `${httpMethod} ${url.origin}${url.pathname}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client[Symbol.asyncDispose]();
  }

  #requestOf(call: Call): { ok: true; request: HttpRequest } | { ok: false; why: string } {
    const { method, params, httpMethod = "GET" } = call;
    const isPost = httpMethod === "POST";
    const built = buildUrl(this.#base, method, isPost ? undefined : params);
    if (!built.ok) return built;
    const headers = withHeaders(this.#headers, call.headers);
    if (!isPost) return { ok: true, request: { method: "GET", url: built.url, headers } };
    const body = JSON.stringify(params ?? {});
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    return { ok: true, request: { method: "POST", url: built.url, headers, body } };
  }

  async #ask(first: HttpRequest, options: { signal: AbortSignal }): Promise<Outcome> {
    let request = first;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const kept = request.method === "GET" ? this.#keptFor(request) : undefined;
      const answer = await this.#client.ask(kept ? askingForNews(request, kept) : request, options);
      if (answer.kind === "unavailable") return answer;
      const { status, headers } = answer;
      if (status === 304 && kept) return { kind: "ok", value: kept.value };
      if (isSuccess(status)) {
        const body = await jsonBodyOf(answer, options);
        if (body.kind !== "json") return body;
        const value = body.scanned.json;
        if (request.method === "GET") this.#keep(request, headers.get("etag"), value);
        return { kind: "ok", value };
      }
      if (!isRedirect(status)) return statusOutcome(answer);
      const to = targetOf(headers.get("location"), request.url);
      if (to === undefined) return statusOutcome(answer, "it does not say where else to look");
      const why = this.#whyNot(request, to, status);
      if (why !== undefined) return statusOutcome(answer, why);
      const isSameOrigin = to.origin === request.url.origin;
      request = {
        ...request,
        url: to,
        headers: isSameOrigin ? request.headers : withoutSecrets(request.headers),
      };
    }
    return { kind: "rejected", reason: `redirected more than ${MAX_REDIRECTS} times` };
  }

  /** Why a redirect is not followed. */
  #whyNot({ method, url }: HttpRequest, to: URL, status: number): string | undefined {
    const target = `${to.origin}${to.pathname}`;
    if (method === "POST" && status !== 307 && status !== 308) {
      return `a POST is not repeated at ${target}`;
    }
    if (this.#redirects === "any") return undefined;
    const isSameHost = to.hostname === url.hostname;
    const isDowngrade = url.protocol === "https:" && to.protocol === "http:";
    if (this.#redirects === "same_host" && isSameHost && !isDowngrade) return undefined;
    return `it leads to ${target}, which "redirects": "${this.#redirects}" does not allow`;
  }

  #keptFor({ url, headers }: HttpRequest): KeptValue | undefined {
    return this.#kept.get(keyOf(url, headers));
  }

  #keep({ url, headers }: HttpRequest, etag: string | null, value: JsonText): void {
    const key = keyOf(url, headers);
    this.#kept.delete(key);
    if (etag === null || etag === "") return;
    this.#kept.set(key, { etag, value });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT_VALUES && oldest !== undefined) this.#kept.delete(oldest);
  }
}

const ACCEPT = "application/json";

/** Two sources may ask one address with different headers, and get different values. */
function keyOf(url: URL, headers: Headers): string {
  return JSON.stringify([url.href, ...headers]);
}

function askingForNews(request: HttpRequest, { etag }: KeptValue): HttpRequest {
  const headers = new Headers(request.headers);
  headers.set("if-none-match", etag);
  return { ...request, headers };
}

/** What may go to a place that nobody configured. */
function withoutSecrets(headers: Headers): Headers {
  const kept = new Headers({ accept: ACCEPT });
  const contentType = headers.get("content-type");
  if (contentType !== null) kept.set("content-type", contentType);
  return kept;
}

/** Where a redirect leads; `undefined` if to nothing that can be fetched. */
function targetOf(location: string | null, from: URL): URL | undefined {
  if (location === null || !URL.canParse(location, from)) return undefined;
  const target = new URL(location, from);
  if (!["http:", "https:"].includes(target.protocol)) return undefined;
  target.username = "";
  target.password = "";
  return target;
}
