import type { Unavailable } from "../backend.ts";
import { transportFailure } from "../transport_failure.ts";
import { readBoundedBody } from "./bounded_body.ts";
import { ACCEPT_ENCODING, decodedBody } from "./decoded_body.ts";
import { HttpClients, type HttpClientsOptions } from "./http_clients.ts";
import { isSuccess } from "./http_status.ts";
import { LinkedAbort } from "../../resilience/linked_abort.ts";
import { systemClock } from "../../resilience/clock.ts";

export interface HttpClientOptions extends HttpClientsOptions {
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
}

/** An answer, whatever its status. */
export interface HttpAnswer {
  readonly kind: "answer";
  readonly status: number;
  readonly headers: Headers;
  /** Media type such as `text/html`, for error messages. */
  readonly mediaType: string | undefined;
  /**
   * The body, or why it cannot be had. Of an error only the beginning, as far as it came soon; of
   * a redirect and of "not modified" nothing.
   */
  readonly body: { readonly kind: "text"; readonly text: string } | Unavailable;
}

/** Most of an error's body that is read, in bytes: it is there to say what is wrong. */
const MAX_ERROR_BODY_BYTES = 65_536;

/** How long an error's body is waited for, in milliseconds: its status has said the main thing. */
const ERROR_BODY_TIMEOUT_MS = 300;

/**
 * The HTTP side of one backend: one answer per request, never a redirect followed, never an
 * exception but the signal's. Disposing aborts what is under way.
 *
 * @throws {RangeError} If `maxResponseBytes` is not a positive integer, or the proxy's URL cannot
 * be used.
 */
export class HttpClient implements AsyncDisposable {
  readonly #maxResponseBytes: number;
  readonly #fetch: typeof fetch;
  readonly #clients: HttpClients;
  readonly #underWay = new Map<LinkedAbort, Promise<unknown>>();
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
    this.#clients = new HttpClients(options);
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
    const way = this.#wayTo(request.url);
    if (way.kind === "unavailable") return way;
    const { client, proxy } = way;
    using abort = new LinkedAbort([signal]);
    const exchange = this.#exchange(request, { client, signal: abort.signal });
    this.#underWay.set(abort, exchange);
    try {
      return await exchange;
    } catch (error) {
      signal.throwIfAborted();
      if (this.#isClosed) return CLOSED;
      const through = proxy === undefined ? "" : ` (through the proxy ${proxy})`;
      return { kind: "unavailable", reason: `${transportFailure(error)}${through}` };
    } finally {
      this.#underWay.delete(abort);
    }
  }

  #wayTo(url: URL): { kind: "way"; client: Deno.HttpClient; proxy?: string } | Unavailable {
    try {
      return { kind: "way", ...this.#clients.for(url) };
    } catch {
      // One of the configuration is looked at when the backend is made.
      const reason = "the proxy that the environment names cannot be used: it is no URL of a proxy";
      return { kind: "unavailable", reason };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const underWay = [...this.#underWay];
    for (const [abort] of underWay) abort.abort(new Error(CLOSED.reason));
    await Promise.allSettled(underWay.map(([, exchange]) => exchange));
    this.#clients[Symbol.dispose]();
  }

  async #exchange(
    { method, url, headers, body }: HttpRequest,
    { client, signal }: { client: Deno.HttpClient; signal: AbortSignal },
  ): Promise<HttpAnswer> {
    const sent = new Headers(headers);
    if (!sent.has("accept-encoding")) sent.set("accept-encoding", ACCEPT_ENCODING);
    const response = await this.#fetch(url, {
      method,
      headers: sent,
      ...(body === undefined ? {} : { body }),
      redirect: "manual",
      signal,
      client,
    });
    return {
      kind: "answer",
      status: response.status,
      headers: response.headers,
      mediaType: mediaTypeOf(response),
      body: await this.#readBody(response, signal),
    };
  }

  async #readBody(response: Response, signal: AbortSignal): Promise<HttpAnswer["body"]> {
    const { status } = response;
    if (status >= 400) return { kind: "text", text: await beginningOf(response, signal) };
    if (!isSuccess(status)) return await skipBody(response);
    const decoded = decodedBody(response);
    if (!decoded.ok) {
      await response.body?.cancel();
      return { kind: "unavailable", reason: decoded.why };
    }
    const maxBytes = this.#maxResponseBytes;
    const { headers } = response;
    const body = await readBoundedBody({ headers, body: decoded.body }, { maxBytes, signal });
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

/**
 * What comes of an error's body within a moment; empty where it cannot be read.
 *
 * @throws The signal's reason, when it is aborted.
 */
async function beginningOf(response: Response, signal: AbortSignal): Promise<string> {
  const decoded = decodedBody(response);
  if (!decoded.ok || decoded.body === null) {
    await response.body?.cancel();
    return "";
  }
  const reader = decoded.body.getReader();
  const giveUp = () => void reader.cancel().catch(() => {});
  using over = new LinkedAbort([signal]);
  void systemClock.sleep(ERROR_BODY_TIMEOUT_MS, { signal: over.signal })
    .catch(() => {}).then(giveUp); // given up too when it was read, or nobody waits any more
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (let bytes = 0; bytes < MAX_ERROR_BODY_BYTES;) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.byteLength;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    // a body that breaks off has said what it has said
  } finally {
    over.abort();
    await reader.cancel().catch(() => {});
  }
  signal.throwIfAborted();
  return text;
}

/** The media type, if it is one: the server may have sent anything. */
function mediaTypeOf(response: Response): string | undefined {
  return /^[\w.+-]{1,60}\/[\w.+-]{1,60}/.exec(response.headers.get("content-type") ?? "")?.[0];
}
