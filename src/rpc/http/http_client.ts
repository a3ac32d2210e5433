import type { Unavailable } from "../backend.ts";
import { readBoundedBody } from "./bounded_body.ts";
import { transportFailure } from "../transport_failure.ts";

export interface HttpClientOptions {
  /** Most bytes of a body, after decompression. */
  maxResponseBytes: number;
  /** Default: the runtime's. */
  fetch?: typeof fetch;
}

export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly headers: Headers;
  readonly body?: string;
  /** Whether the body of an answer with this status matters; if not it is not waited for. */
  readonly wantsBody: (status: number) => boolean;
}

/** An answer, whatever its status. */
export interface HttpAnswer {
  readonly kind: "answer";
  readonly status: number;
  /** `Location`, of redirects. */
  readonly location: string | null;
  /** Media type such as `text/html`, for error messages. */
  readonly mediaType: string | undefined;
  /** The body, or why it cannot be had; empty where it was not wanted. */
  readonly body: { readonly kind: "text"; readonly text: string } | Unavailable;
}

/**
 * The HTTP side of one backend: one answer per request, never a redirect followed, never an
 * exception but the signal's. Disposing aborts what is under way.
 *
 * Each request has a connection of its own. One that is kept may be closed by the server just when
 * it is used again; the runtime then sends the request anew by itself, and so a dead backend would
 * get more calls than the breaker knows of.
 *
 * @throws {RangeError} If `maxResponseBytes` is not a positive integer.
 */
export class HttpClient implements AsyncDisposable {
  readonly #maxResponseBytes: number;
  readonly #fetch: typeof fetch;
  readonly #client: Deno.HttpClient;
  readonly #underWay = new Map<AbortController, Promise<unknown>>();
  #isClosed = false;

  constructor(options: HttpClientOptions) {
    const { maxResponseBytes, fetch = globalThis.fetch } = options;
    if (!Number.isSafeInteger(maxResponseBytes) || maxResponseBytes < 1) {
      throw new RangeError(
        `Cannot create a backend as 'maxResponseBytes' must be a positive integer: current value is ${maxResponseBytes}`,
      );
    }
    this.#maxResponseBytes = maxResponseBytes;
    this.#fetch = fetch;
    this.#client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  }

  /**
   * Sends one request and reads its answer.
   *
   * @throws The signal's reason, when it is aborted; nothing else.
   */
  async ask(
    request: HttpRequest,
    options: { signal: AbortSignal },
  ): Promise<HttpAnswer | Unavailable> {
    const { signal } = options;
    signal.throwIfAborted();
    if (this.#isClosed) return CLOSED;
    const abort = new AbortController();
    const onAbort = () => abort.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    const exchange = this.#exchange(request, abort.signal);
    this.#underWay.set(abort, exchange);
    try {
      return await exchange;
    } catch (error) {
      signal.throwIfAborted();
      if (this.#isClosed) return CLOSED;
      return { kind: "unavailable", reason: transportFailure(error) };
    } finally {
      this.#underWay.delete(abort);
      signal.removeEventListener("abort", onAbort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const underWay = [...this.#underWay];
    for (const [abort] of underWay) abort.abort(new Error(CLOSED.reason));
    await Promise.allSettled(underWay.map(([, exchange]) => exchange));
    this.#client.close();
  }

  async #exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const { method, url, headers, body, wantsBody } = request;
    const response = await this.#fetch(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      redirect: "manual",
      signal,
      client: this.#client,
    });
    const { status } = response;
    return {
      kind: "answer",
      status,
      location: response.headers.get("location"),
      mediaType: mediaTypeOf(response),
      body: wantsBody(status) ? await this.#readBody(response, signal) : await skipBody(response),
    };
  }

  async #readBody(response: Response, signal: AbortSignal): Promise<HttpAnswer["body"]> {
    const maxBytes = this.#maxResponseBytes;
    const body = await readBoundedBody(response, { maxBytes, signal });
    switch (body.kind) {
      case "text":
        return body;
      case "too_large":
        return { kind: "unavailable", reason: `the answer is larger than ${maxBytes} bytes` };
      case "not_utf8":
        return { kind: "unavailable", reason: "the answer is not UTF-8 text" };
    }
  }
}

const CLOSED: Unavailable = { kind: "unavailable", reason: "the backend was closed" };

async function skipBody(response: Response): Promise<HttpAnswer["body"]> {
  await response.body?.cancel();
  return { kind: "text", text: "" };
}

/** The media type, if it is one: the server may have sent anything. */
function mediaTypeOf(response: Response): string | undefined {
  return /^[\w.+-]{1,60}\/[\w.+-]{1,60}/.exec(response.headers.get("content-type") ?? "")?.[0];
}
