import type { MessageWriter } from "./message_writer.ts";
import type { ForwardedAnswer, ForwardedRequest, FromThread } from "./messages.ts";

/**
 * Requests that wait for the main thread's answer at a time. When full, the next is refused at once:
 * the main thread does not keep up, and the runtime would keep them all.
 */
export const MAX_WAITING = 16_384;

interface WaitingRequest {
  readonly settle: (answer: ForwardedAnswer) => void;
  readonly reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** Bytes of the body still to come; undefined if its sender does not say. */
  leftBytes: number | undefined;
}

/**
 * Asks the main thread for the answers to requests that have come to this one. The first part of a
 * body goes along unasked: most bodies are no longer, and each question costs both threads a wake.
 */
export class RequestForwarder {
  readonly #writer: MessageWriter<FromThread>;
  readonly #waiting = new Map<number, WaitingRequest>();
  #ids = 0;

  constructor(writer: MessageWriter<FromThread>) {
    this.#writer = writer;
  }

  /** Undefined if too many wait already. */
  ask(
    request: ForwardedRequest,
    body: ReadableStream<Uint8Array> | null,
  ): Promise<ForwardedAnswer> | undefined {
    if (this.#waiting.size >= MAX_WAITING) return undefined;
    const id = ++this.#ids;
    const { promise, resolve } = Promise.withResolvers<ForwardedAnswer>();
    const length = headerOf(request, "content-length");
    this.#waiting.set(id, {
      settle: resolve,
      reader: body?.getReader(),
      leftBytes: length === undefined ? undefined : Number(length),
    });
    // Whoever waits for leave to send it is not given that before it is known who it is.
    const isAhead = body !== null && headerOf(request, "expect") === undefined;
    this.#writer.post({ kind: "request", id, request, isAhead });
    if (isAhead) void this.pull(id);
    return promise;
  }

  /** The main thread wants more of a request's body. */
  async pull(id: number): Promise<void> {
    const waiting = this.#waiting.get(id);
    if (waiting?.reader === undefined) return;
    try {
      const { done, value } = await waiting.reader.read();
      if (!this.#waiting.has(id)) return; // it was answered without
      if (done) {
        this.#writer.post({ kind: "chunk", id });
        return;
      }
      if (waiting.leftBytes !== undefined) waiting.leftBytes -= value.byteLength;
      const isLast = waiting.leftBytes === 0;
      this.#writer.post({ kind: "chunk", id, bytes: value, isLast }, value.byteLength);
    } catch {
      this.#writer.post({ kind: "chunk", id, isBroken: true });
    }
  }

  answer(id: number, answer: ForwardedAnswer): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.reader?.cancel().catch(() => {}); // whatever of it was not asked for
    waiting.settle(answer);
  }
}

function headerOf({ headers }: ForwardedRequest, name: string): string | undefined {
  return headers.find(([each]) => each === name)?.[1];
}
