import type { Backend, Call, Outcome } from "../backend.ts";
import { endpointOf } from "../endpoint.ts";
import { buildUrl } from "./http_json_url.ts";
import { isRedirect, isSuccess, jsonBodyOf, statusOutcome } from "./http_outcome.ts";
import { HttpClient } from "./http_client.ts";

export interface HttpJsonOptions {
  /** What methods are put behind. Its userinfo becomes an `Authorization: Basic` header. */
  url: string;
  headers?: Readonly<Record<string, string>>;
  /** Most bytes of an answer, after decompression. */
  maxResponseBytes: number;
  /** Default: the runtime's. */
  fetch?: typeof fetch;
}

/** Redirects followed for one call; one more and the call is rejected. */
const MAX_REDIRECTS = 5;

/**
 * A backend whose method is a path: `GET url + method`, the JSON body is the value. Redirects are
 * followed; one that leaves the origin takes none of the configured headers along, for any of them
 * may be a secret (the runtime itself would drop `Authorization` and `Cookie` alone).
 *
 * @throws {RangeError} If an option is out of range.
 */
export function createHttpJsonBackend(options: HttpJsonOptions): Backend {
  return new HttpJsonBackend(options);
}

class HttpJsonBackend implements Backend {
  readonly #peer: HttpClient;
  readonly #base: URL;
  readonly #headers: Headers;

  constructor(options: HttpJsonOptions) {
    const { url, headers } = endpointOf(options.url, options.headers);
    if (!headers.has("accept")) headers.set("accept", ACCEPT);
    this.#base = url;
    this.#headers = headers;
    this.#peer = new HttpClient(options);
  }

  async call(call: Call, options: { signal: AbortSignal }): Promise<Outcome> {
    options.signal.throwIfAborted();
    const built = buildUrl(this.#base, call.method, call.params);
    if (!built.ok) return { kind: "rejected", reason: built.why };
    let { url } = built;
    let headers = this.#headers;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const request = { method: "GET", url, headers, wantsBody: isSuccess } as const;
      const answer = await this.#peer.ask(request, options);
      if (answer.kind === "unavailable") return answer;
      const { status, location } = answer;
      if (isSuccess(status)) {
        const body = await jsonBodyOf(answer, options);
        return body.kind === "json" ? { kind: "ok", value: body.scanned.json } : body;
      }
      if (!isRedirect(status)) return statusOutcome(status);
      const next = targetOf(location, url);
      if (next === undefined) return statusOutcome(status, "it does not say where else to look");
      if (next.origin !== url.origin) headers = new Headers({ accept: ACCEPT });
      url = next;
    }
    return { kind: "rejected", reason: `redirected more than ${MAX_REDIRECTS} times` };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#peer[Symbol.asyncDispose]();
  }
}

const ACCEPT = "application/json";

/** Where a redirect leads; `undefined` if to nothing that can be fetched. */
function targetOf(location: string | null, from: URL): URL | undefined {
  if (location === null || !URL.canParse(location, from)) return undefined;
  const target = new URL(location, from);
  if (!["http:", "https:"].includes(target.protocol)) return undefined;
  target.username = "";
  target.password = "";
  return target;
}
