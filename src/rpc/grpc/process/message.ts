/**
 * What the hub and its gRPC process say to each other through two pipes: a head of plain data and a
 * body of bytes, each with its length in front.
 */

import type { GrpcEndpoint, WireFailure } from "../transport.ts";

/** From the hub. The body of `unary` and `stream` is the call's message. */
export type Order =
  /** The first one, and only that. */
  | { readonly kind: "open"; readonly endpoint: GrpcEndpoint }
  | {
    readonly kind: "unary";
    readonly id: number;
    readonly service: string;
    readonly name: string;
    readonly deadlineMs?: number;
  }
  | {
    readonly kind: "stream";
    readonly id: number;
    readonly service: string;
    readonly name: string;
  }
  /** One more message of a stream may be sent. */
  | { readonly kind: "more"; readonly id: number }
  | { readonly kind: "cancel"; readonly id: number }
  | { readonly kind: "ping" };

/** To the hub. The body of `answer` and `message` is the server's message. */
export type Report =
  | { readonly kind: "answer"; readonly id: number }
  | { readonly kind: "opened"; readonly id: number }
  | { readonly kind: "message"; readonly id: number; readonly cameAtMs: number }
  | { readonly kind: "failed"; readonly id: number; readonly failure: WireFailure }
  /** To a ping, and once it is open; with the memory the process holds. */
  | { readonly kind: "pong"; readonly rssBytes: number };

/** The lengths of head and body, 32 bits each. */
const LENGTHS_BYTES = 8;

/** Most bytes of a head: names, a reason, or an endpoint with its certificates. */
export const MAX_HEAD_BYTES = 1024 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const NO_BODY = new Uint8Array();

export function encodeMessage(head: Order | Report, body: Uint8Array = NO_BODY): Uint8Array {
  const text = encoder.encode(JSON.stringify(head));
  const bytes = new Uint8Array(LENGTHS_BYTES + text.length + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, text.length);
  view.setUint32(4, body.length);
  bytes.set(text, LENGTHS_BYTES);
  bytes.set(body, LENGTHS_BYTES + text.length);
  return bytes;
}

export interface ReceivedMessage<H> {
  readonly head: H;
  readonly body: Uint8Array;
}

/** Puts together what came in pieces; room for a message is taken once, when its length is known. */
export class MessageReader<H extends Order | Report> {
  readonly #maxBodyBytes: number;
  #lengths = new Uint8Array(LENGTHS_BYTES);
  #content: Uint8Array | undefined;
  #headBytes = 0;
  #filled = 0;

  constructor(maxBodyBytes: number) {
    this.#maxBodyBytes = maxBodyBytes;
  }

  /**
   * The messages that are whole once this piece has come.
   *
   * @throws {RangeError} If one is longer than allowed; {SyntaxError} if a head is not JSON. What
   * comes after that cannot be understood.
   */
  *feed(piece: Uint8Array): Generator<ReceivedMessage<H>> {
    let rest = piece;
    while (rest.length > 0) {
      const into = this.#content ?? this.#lengths;
      const part = rest.subarray(0, into.length - this.#filled);
      into.set(part, this.#filled);
      this.#filled += part.length;
      rest = rest.subarray(part.length);
      if (this.#filled < into.length) return;
      this.#filled = 0;
      if (this.#content === undefined) {
        this.#content = this.#makeRoom();
        continue;
      }
      this.#content = undefined;
      yield {
        head: JSON.parse(decoder.decode(into.subarray(0, this.#headBytes))) as H,
        body: into.subarray(this.#headBytes),
      };
    }
  }

  #makeRoom(): Uint8Array {
    const view = new DataView(this.#lengths.buffer);
    const bodyBytes = view.getUint32(4);
    this.#headBytes = view.getUint32(0);
    if (this.#headBytes === 0 || this.#headBytes > MAX_HEAD_BYTES) {
      throw new RangeError(`a head of ${this.#headBytes} bytes`);
    }
    if (bodyBytes > this.#maxBodyBytes) throw new RangeError(`a body of ${bodyBytes} bytes`);
    return new Uint8Array(this.#headBytes + bodyBytes);
  }
}
