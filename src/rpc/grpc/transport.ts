/** What carries the bytes of gRPC calls, whichever process it lives in. */
import type { CallOptions, Outcome } from "../backend.ts";

/** Where a gRPC server is and how to speak to it. Plain data: it may go to another process. */
export interface GrpcEndpoint {
  /** Without user, password, query and fragment. */
  readonly url: string;
  /** Metadata of every call. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Largest response message accepted, in bytes. */
  readonly maxResponseBytes: number;
  readonly tls: GrpcPem;
  /** Silence under an open call after which the server is asked for a sign of life, in milliseconds. */
  readonly keepaliveMs: number;
  /** How long the answer to that may take, in milliseconds, before the connection counts as dead. */
  readonly keepaliveTimeoutMs: number;
}

/** PEM files or their texts, for `https://`. */
export interface GrpcPem {
  /** Authorities to trust instead of the ones this machine's Deno trusts. */
  ca?: string;
  /** The certificate to show to the server; needs `key`. */
  cert?: string;
  /** The private key of `cert`. */
  key?: string;
}

/** A call whose message was encoded. */
export interface WireCall {
  /** `package.Service` */
  readonly service: string;
  readonly name: string;
  readonly body: Uint8Array;
}

/** How a call, or a stream, ended that gave no message. */
export type WireFailure = Extract<Outcome, { kind: "unavailable" | "rejected" }>;

export type WireAnswer = { readonly kind: "ok"; readonly bytes: Uint8Array } | WireFailure;

/** What happens on a stream. */
export type WireEvent =
  /** There is a connection, and the call went out. */
  | { readonly kind: "opened" }
  | {
    readonly kind: "message";
    readonly bytes: Uint8Array;
    /** When it came, in unix milliseconds, or earlier if that cannot be told. */
    readonly cameAtMs: number;
  };

export interface GrpcTransport extends AsyncDisposable {
  /** @throws The signal's reason, when it is aborted; nothing else. */
  unary(call: WireCall, options: CallOptions): Promise<WireAnswer>;

  /**
   * Opens a server-streaming call; returns why it ended. Who asks late gets the newest message: one
   * waits, and a newer one takes its place.
   *
   * @throws The signal's reason, when it is aborted; nothing else.
   */
  stream(
    call: WireCall,
    options: { signal: AbortSignal },
  ): AsyncGenerator<WireEvent, WireFailure, undefined>;
}
