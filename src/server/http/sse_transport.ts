import type { Transport } from "../../hub/delivery/transport.ts";

export interface SseTransportOptions {
  /** In which the hub's numbers count just now. */
  epoch: () => string;
  /** A comment goes out when nothing was sent for this long, in milliseconds; 0: never. */
  keepAliveMs: number;
  /** What a client is told to wait before it comes back on its own, in milliseconds. */
  retryMs: number;
  /** How long the client gets to take what waits once the stream is closed, in milliseconds. */
  lingerMs: number;
  /** Ends the connection itself. */
  abort: () => void;
  /** The stream is over, one way or the other. Called once. */
  onEnd: () => void;
}

/** A comment: keeps proxies from taking a quiet stream for a dead one. */
const KEEP_ALIVE = ": keep-alive\n\n";

const encoder = new TextEncoder();

/**
 * A client that listens to server-sent events (WHATWG HTML, section 9.2), as the hub sees it.
 * Frames are the `data` of unnamed events; `id` is where to resume from, number and epoch.
 */
export class SseTransport implements Transport {
  readonly body: ReadableStream<Uint8Array>;
  readonly #options: SseTransportOptions;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #keepAlive: ReturnType<typeof setInterval> | undefined;
  #lingering: ReturnType<typeof setTimeout> | undefined;
  #isQuiet = true;
  /** The hub has closed it; what waits is still to be taken. */
  #isClosing = false;
  #hasEnded = false;

  constructor(options: SseTransportOptions) {
    const { keepAliveMs, retryMs } = options;
    this.#options = options;
    this.body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      // All that waited was taken, and more is asked for.
      pull: () => {
        if (this.#isClosing) this.#finish();
      },
      cancel: () => this.#end(),
    }, { highWaterMark: 0, size: (chunk) => chunk?.byteLength ?? 0 });
    this.#write(`retry: ${retryMs}\n\n`);
    if (keepAliveMs > 0) {
      this.#keepAlive = setInterval(() => {
        if (this.#isQuiet && this.bufferedBytes === 0) this.#write(KEEP_ALIVE);
        this.#isQuiet = true;
      }, keepAliveMs);
    }
  }

  get bufferedBytes(): number {
    return -(this.#controller?.desiredSize ?? 0);
  }

  send(text: string, seq?: number): void {
    // JSON text holds no line breaks, so that one `data` line is enough.
    const id = seq === undefined ? "" : `id: ${seq}.${this.#options.epoch()}\n`;
    this.#write(`${id}data: ${text}\n\n`);
    this.#isQuiet = false;
  }

  close(): void {
    if (this.#hasEnded || this.#isClosing) return;
    this.#isClosing = true;
    clearInterval(this.#keepAlive);
    if (this.bufferedBytes === 0) {
      this.#finish();
      return;
    }
    // Until it is finished, the connection cannot be used for anything else: abort ends no other.
    this.#lingering = setTimeout(() => {
      this.#options.abort();
      this.#finish();
    }, this.#options.lingerMs);
  }

  #write(text: string): void {
    if (this.#hasEnded || this.#isClosing || this.#controller === undefined) {
      throw new TypeError("the stream is over");
    }
    this.#controller.enqueue(encoder.encode(text));
  }

  #finish(): void {
    if (this.#hasEnded) return;
    this.#controller?.close();
    this.#end();
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearInterval(this.#keepAlive);
    clearTimeout(this.#lingering);
    this.#options.onEnd();
  }
}
