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
  /** Ends the connection itself, if nobody else uses it. */
  abort: () => void;
  /** Bytes the peer has acknowledged in the connection's life; `undefined` if that is not known. */
  takenBytes: () => number | undefined;
  /** The stream is over, one way or the other. Called once. */
  onEnd: () => void;
}

/** A comment: keeps proxies from taking a quiet stream for a dead one. */
const KEEP_ALIVE = ": keep-alive\n\n";

/**
 * Most of a frame that is handed over at a time, in characters. What waits is shared text, of which
 * a piece is encoded when it is asked for: so a large frame that a client does not take costs no
 * copy of it, and one that it takes slowly is seen to be taken.
 */
const PIECE_CHARS = 16_384;

const encoder = new TextEncoder();

/** Why a stream is broken off: it was closed, and its client does not take what waits. */
export class StreamCutOff extends Error {
  override readonly name = "StreamCutOff";
}

/**
 * A client that listens to server-sent events (WHATWG HTML, section 9.2), as the hub sees it.
 * Frames are the `data` of unnamed events; `id` is where to resume from, number and epoch.
 */
export class SseTransport implements Transport {
  readonly body: ReadableStream<Uint8Array>;
  readonly #options: SseTransportOptions;
  /** What waits, in order; of the first text so many characters were handed over. */
  readonly #waiting: string[] = [];
  #firstAt = 0;
  #waitingChars = 0;
  /** More is asked for than there was. */
  #isWanted = false;
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
      pull: () => {
        if (this.#waiting.length > 0) this.#handOver();
        else if (this.#isClosing) this.#finish(); // all that waited was taken, and more is asked for
        else this.#isWanted = true;
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
    return this.#waitingChars;
  }

  takenBytes(): number | undefined {
    return this.#options.takenBytes();
  }

  send(text: string, seq?: number): void {
    // JSON text holds no line breaks, so that one `data` line is enough.
    const id = seq === undefined ? "" : `id: ${seq}.${this.#options.epoch()}\n`;
    this.#write(`${id}data: ${text}\n\n`);
    this.#isQuiet = false;
  }

  close(_code?: number, _reason?: string, withinMs: number = this.#options.lingerMs): void {
    if (this.#hasEnded || this.#isClosing) return;
    this.#isClosing = true;
    clearInterval(this.#keepAlive);
    if (this.bufferedBytes === 0) {
      this.#finish();
      return;
    }
    // Until it is finished, nothing else comes on this stream: abort ends no other.
    this.#lingering = setTimeout(() => {
      this.#options.abort();
      this.#cutOff();
    }, withinMs);
  }

  #write(text: string): void {
    if (this.#hasEnded || this.#isClosing || this.#controller === undefined) {
      throw new TypeError("the stream is over");
    }
    this.#waiting.push(text);
    this.#waitingChars += text.length;
    if (this.#isWanted) this.#handOver();
  }

  /** Hands over a piece of what waits: the end of one text and as many more as fit, or a part. */
  #handOver(): void {
    this.#isWanted = false;
    let piece = "";
    while (piece.length < PIECE_CHARS) {
      const text = this.#waiting[0];
      if (text === undefined) break;
      let end = Math.min(text.length, this.#firstAt + PIECE_CHARS - piece.length);
      // The halves of a surrogate pair go together.
      if (end < text.length && isLeadSurrogate(text.charCodeAt(end - 1))) end += 1;
      piece += text.slice(this.#firstAt, end);
      this.#firstAt = end;
      if (end < text.length) break;
      this.#waiting.shift();
      this.#firstAt = 0;
    }
    this.#waitingChars -= piece.length;
    this.#controller?.enqueue(encoder.encode(piece));
  }

  #finish(): void {
    if (this.#hasEnded) return;
    this.#controller?.close();
    this.#end();
  }

  /** Forgets what waits; where the connection lives on, the stream alone is reset. */
  #cutOff(): void {
    if (this.#hasEnded) return;
    this.#waiting.length = 0;
    this.#controller?.error(new StreamCutOff("the client does not take what waits"));
    this.#end();
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearInterval(this.#keepAlive);
    clearTimeout(this.#lingering);
    this.#waiting.length = 0;
    this.#options.onEnd();
  }
}

function isLeadSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
