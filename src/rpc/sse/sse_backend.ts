import { LinkedAbort } from "../../resilience/linked_abort.ts";
import type { Call, Outcome, StreamEnd, StreamEvent, StreamingBackend } from "../backend.ts";
import { endpointOf, withHeaders } from "../endpoint.ts";
import { HttpClients, type HttpClientsOptions } from "../http/http_clients.ts";
import { buildUrl } from "../http/http_json_url.ts";
import { statusOutcome } from "../http/http_outcome.ts";
import { isSuccess } from "../http/http_status.ts";
import { readJson } from "../http/read_json.ts";
import { Newest } from "../stream/newest.ts";
import { transportFailure } from "../transport_failure.ts";
import { type EventStreamPosition, readEventStream, type SseData } from "./event_stream.ts";

export interface SseOptions extends HttpClientsOptions {
  /** What methods are put behind. Its userinfo becomes an `Authorization: Basic` header. */
  url: string;
  headers?: Readonly<Record<string, string>>;
  /** Most bytes of one event. */
  maxResponseBytes: number;
  /** Default: the runtime's. */
  fetch?: typeof fetch;
}

/** Streams whose place is kept for the next one of the same address; the oldest is forgotten. */
const MAX_POSITIONS = 1000;

const EVENT_STREAM = "text/event-stream";

/**
 * A backend of server-sent events: a method is a path, and the data of each event on it is a value,
 * in JSON. A new stream says which event was the last (`Last-Event-ID`), and waits as long as the
 * server's `retry:` says.
 *
 * @throws {RangeError} If an option is out of range.
 */
export function createSseBackend(options: SseOptions): StreamingBackend {
  return new SseBackend(options);
}

class SseBackend implements StreamingBackend {
  readonly #base: URL;
  readonly #headers: Headers;
  readonly #clients: HttpClients;
  readonly #fetch: typeof fetch;
  readonly #maxEventBytes: number;
  readonly #positions = new Map<string, EventStreamPosition>();
  readonly #closed = new AbortController();

  constructor(options: SseOptions) {
    const { maxResponseBytes, fetch = globalThis.fetch } = options;
    if (!Number.isSafeInteger(maxResponseBytes) || maxResponseBytes < 1) {
      throw new RangeError(
        `Cannot create a backend as 'maxResponseBytes' must be a positive integer: current value is ${maxResponseBytes}`,
      );
    }
    const { url, headers } = endpointOf(options.url, options.headers);
    this.#base = url;
    this.#headers = headers;
    this.#maxEventBytes = maxResponseBytes;
    this.#fetch = fetch;
    this.#clients = new HttpClients(options);
  }

  describe(call: Call): string {
    const built = buildUrl(this.#base, call.method, {});
    return built.ok ? `GET ${built.url.origin}${built.url.pathname}` : "GET";
  }

  /** Only looks whether there is a success at an address: for health checks that name one. */
  async call(call: Call, { signal }: { signal: AbortSignal }): Promise<Outcome> {
    signal.throwIfAborted();
    using either = new LinkedAbort([signal, this.#closed.signal]);
    const answer = await this.#ask(call, { signal: either.signal, accept: "*/*" });
    signal.throwIfAborted();
    if (answer.kind !== "response") return answer;
    await answer.response.body?.cancel().catch(() => {});
    return { kind: "ok", value: NOTHING };
  }

  async *stream(
    call: Call,
    { signal }: { signal: AbortSignal },
  ): AsyncGenerator<StreamEvent, StreamEnd, undefined> {
    signal.throwIfAborted();
    using own = new LinkedAbort([signal, this.#closed.signal]);
    const answer = await this.#ask(call, { signal: own.signal, accept: EVENT_STREAM });
    signal.throwIfAborted();
    if (answer.kind !== "response") return withRetry(answer, this.#position(call));
    const wrong = wrongStream(answer.response);
    if (wrong !== undefined) {
      await answer.response.body?.cancel().catch(() => {});
      return wrong;
    }
    const position = this.#position(call);
    const newest = new Newest<SseData, StreamEnd>();
    const reading = readEventStream(answer.response, {
      position,
      maxEventBytes: this.#maxEventBytes,
      signal: own.signal,
      onData: (data) => newest.put(data),
    }).then((end) => newest.end(end));
    try {
      yield { kind: "opened" };
      for (;;) {
        const taken = await newest.take(signal);
        if (taken.kind === "ended") return withRetry(taken.how, position);
        const { text, cameAtMs } = taken.item;
        yield { kind: "message", cameAtMs, read: () => valueOf(text, signal) };
      }
    } finally {
      own.abort();
      await reading;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new Error("the backend was closed"));
    this.#clients[Symbol.dispose]();
    return Promise.resolve();
  }

  async #ask(
    call: Call,
    { signal, accept }: { signal: AbortSignal; accept: string },
  ): Promise<{ kind: "response"; response: Response } | StreamEnd> {
    if (this.#closed.signal.aborted) return CLOSED;
    const built = buildUrl(this.#base, call.method, call.params);
    if (!built.ok) return { kind: "rejected", reason: built.why };
    const headers = withHeaders(this.#headers, call.headers);
    if (!headers.has("accept")) headers.set("accept", accept);
    // What is compressed comes in lumps, and may be larger here than there.
    headers.set("accept-encoding", "identity");
    headers.set("cache-control", "no-store");
    const { lastEventId } = this.#position(call);
    if (accept === EVENT_STREAM && lastEventId !== "") headers.set("last-event-id", lastEventId);
    const { client, proxy } = this.#clients.for(built.url);
    try {
      const response = await this.#fetch(built.url, {
        headers,
        redirect: "manual",
        signal,
        client,
      });
      if (isSuccess(response.status)) return { kind: "response", response };
      await response.body?.cancel().catch(() => {});
      const { status } = response;
      const answer = {
        kind: "answer",
        status,
        headers: response.headers,
        mediaType: undefined,
        body: { kind: "text", text: "" },
      } as const;
      const isElsewhere = status >= 300 && status < 400;
      return statusOutcome(answer, isElsewhere ? "a stream follows no redirects" : undefined);
    } catch (error) {
      if (this.#closed.signal.aborted) return CLOSED;
      const through = proxy === undefined ? "" : ` (through the proxy ${proxy})`;
      return { kind: "unavailable", reason: `${transportFailure(error)}${through}` };
    }
  }

  /** The place in the stream of an address; kept from one stream to the next. */
  #position(call: Call): EventStreamPosition {
    const key = JSON.stringify([call.method, call.params]);
    const position = this.#positions.get(key) ?? { lastEventId: "", retryMs: undefined };
    this.#positions.delete(key); // put back at the end: it is the newest now
    this.#positions.set(key, position);
    const [oldest] = this.#positions.keys();
    if (this.#positions.size > MAX_POSITIONS && oldest !== undefined) {
      this.#positions.delete(oldest);
    }
    return position;
  }
}

/** An end, with the wait that the server asked for. */
function withRetry(end: StreamEnd, { retryMs }: EventStreamPosition): StreamEnd {
  if (end.kind === "rejected" || retryMs === undefined) return end;
  return { ...end, reopenAfterMs: retryMs };
}

const CLOSED: StreamEnd = { kind: "unavailable", reason: "the backend was closed" };

const NOTHING = "null" as Extract<Outcome, { kind: "ok" }>["value"];

/** Why an answer is no event stream; `undefined` if it is one. */
function wrongStream({ status, headers }: Response): StreamEnd | undefined {
  if (status === 204) return { kind: "rejected", reason: "HTTP 204: there is no stream any more" };
  const [type = ""] = (headers.get("content-type") ?? "").toLowerCase().split(";");
  if (type.trim() !== EVENT_STREAM) {
    const found = /^[\w.+-]{1,60}\/[\w.+-]{1,60}/.exec(type)?.[0];
    const reason = `the answer is not an event stream${found === undefined ? "" : ` but ${found}`}`;
    return { kind: "unavailable", reason };
  }
  const encoding = headers.get("content-encoding") ?? "identity";
  if (encoding.trim().toLowerCase() === "identity") return undefined;
  return { kind: "unavailable", reason: "the stream is compressed, which was not asked for" };
}

async function valueOf(text: string, signal: AbortSignal): Promise<Outcome> {
  const scanned = await readJson(text, { signal });
  if (scanned.ok) return { kind: "ok", value: scanned.json };
  const reason = scanned.why === "too_deep"
    ? "the data of an event is nested too deep"
    : "the data of an event is not JSON";
  return { kind: "unavailable", reason };
}
