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
}

/** Asks the main thread for the answers to requests that have come to this one. */
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
    this.#waiting.set(id, { settle: resolve, reader: body?.getReader() });
    this.#writer.post({ kind: "request", id, request });
    return promise;
  }

  /** The main thread wants more of a request's body. */
  async pull(id: number): Promise<void> {
    const reader = this.#waiting.get(id)?.reader;
    if (reader === undefined) return;
    try {
      const { done, value } = await reader.read();
      if (done) this.#writer.post({ kind: "chunk", id });
      else this.#writer.post({ kind: "chunk", id, bytes: value }, value.byteLength);
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
