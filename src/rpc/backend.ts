/** What the rest of the house knows of a backend, whatever it speaks. */
import { encodeJson, type JsonText } from "../protocol/codec.ts";

/** A question for a backend. */
export interface Call {
  readonly method: string;
  readonly params?: unknown;
  /** It is answered by a stream of values: see {@linkcode StreamingBackend}. */
  readonly stream?: boolean;
  /** Of `http-json`: how to ask. Default: GET, with the params in the query. */
  readonly httpMethod?: "GET" | "POST";
  /** Of what goes over HTTP: sent beside the backend's own headers, which they replace. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is asked, as it may be told: a path without its query, in which a key may stand. */
export function shownMethod({ method }: Pick<Call, "method">): string {
  const [path = "", ...query] = method.split("?");
  return query.length === 0 ? path : `${path}?…`;
}

/** How a call ended. Decisions are made on this value; a backend throws only when aborted. */
export type Outcome =
  /** The backend gave a value: its own text where it speaks JSON, so that numbers stay as written. */
  | { readonly kind: "ok"; readonly value: JsonText }
  /**
   * The backend cannot be asked just now (refused, reset, DNS, timeout, 5xx, 429, not JSON, too
   * large): counts for the breaker and is worth a retry.
   */
  | {
    readonly kind: "unavailable";
    readonly reason: string;
    /** How long it asked to be left alone (`Retry-After`), in milliseconds. */
    readonly retryAfterMs?: number;
  }
  /**
   * The backend answered that the question is wrong (JSON-RPC error, 4xx): asking again would not
   * help, and the backend is alive.
   */
  | { readonly kind: "rejected"; readonly reason: string }
  /** The backend gave a value, and JSON has no text for it: nobody's trouble but ours. */
  | { readonly kind: "unencodable"; readonly reason: string };

export type Unavailable = Extract<Outcome, { kind: "unavailable" }>;

export interface CallOptions {
  signal: AbortSignal;
  /** What is left for this call, in milliseconds, for transports that tell the backend so. */
  deadlineMs?: number;
}

export interface Backend extends AsyncDisposable {
  /**
   * Asks once. Reasons are written for clients and logs: they name what happened, never a secret,
   * a header or a URL's credentials.
   *
   * @throws The signal's reason, when it is aborted; nothing else.
   */
  call(call: Call, options: CallOptions): Promise<Outcome>;
  /** What is asked and where, such as `GET http://host/path`, for errors; no credentials. */
  describe?(call: Call): string;
}

/** What happens on a stream. */
export type StreamEvent =
  /** The backend took the call; values come when they come. */
  | { readonly kind: "opened" }
  | {
    readonly kind: "message";
    /** When it came, in unix milliseconds, or earlier if that cannot be told. */
    readonly cameAtMs: number;
    /** Reads it: only what is wanted costs that. */
    readonly read: () => Promise<Outcome>;
  };

/** Why a stream ended, or did not come about. */
export type StreamEnd =
  | (Unavailable & {
    /** How long the backend asked to wait before the next one, in milliseconds. */
    readonly reopenAfterMs?: number;
  })
  | Extract<Outcome, { kind: "rejected" }>;

/** A backend that also gives values by itself, as they come to be. */
export interface StreamingBackend extends Backend {
  /**
   * Opens a stream; returns why it ended. Whoever takes slowly gets the newest message: one waits,
   * and a newer one takes its place unread.
   *
   * @throws The signal's reason, when it is aborted; nothing else.
   */
  stream(
    call: Call,
    options: { signal: AbortSignal },
  ): AsyncGenerator<StreamEvent, StreamEnd, undefined>;
}

/** Whether a backend can be asked for streams. */
export function isStreaming(backend: Backend): backend is StreamingBackend {
  return "stream" in backend;
}

/** The outcome of a call whose value is in memory, not JSON text yet. */
export function valueOutcome(value: unknown): Outcome {
  const encoded = encodeJson(value);
  return encoded.ok
    ? { kind: "ok", value: encoded.json }
    : { kind: "unencodable", reason: encoded.why };
}
