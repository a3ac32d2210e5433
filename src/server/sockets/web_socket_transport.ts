import type { Transport } from "../../hub/delivery/transport.ts";

export interface WebSocketTransportOptions {
  /** How long the peer gets to take what waits and to answer the close, in milliseconds. */
  lingerMs: number;
  /** Ends the connection itself. */
  abort: () => void;
  /** Bytes the peer has acknowledged in the connection's life; `undefined` if that is not known. */
  takenBytes: () => number | undefined;
}

/** A peer that sends is closed once so many looks in a row, so many milliseconds apart, saw no message. */
const QUIET_LOOKS = 4;
const LOOK_EVERY_MS = 5;
const QUIET_MS = QUIET_LOOKS * LOOK_EVERY_MS;

/** After so many looks one that does not stop is closed all the same; it may miss why. */
const MAX_LOOKS = 100;

/** A WebSocket as the hub sees it. */
export class WebSocketTransport implements Transport, Disposable {
  readonly #socket: WebSocket;
  readonly #options: WebSocketTransportOptions;
  #closing: ReturnType<typeof setInterval> | undefined;
  #lingering: ReturnType<typeof setTimeout> | undefined;
  #received = 0;
  #receivedAt = -Infinity;
  #isGone = false;

  constructor(socket: WebSocket, options: WebSocketTransportOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  takenBytes(): number | undefined {
    return this.#options.takenBytes();
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  /** Notes that a message of the peer's has come. */
  received(): void {
    this.#received += 1;
    this.#receivedAt = performance.now();
  }

  close(code: number, reason: string, withinMs: number = this.#options.lingerMs): void {
    if (this.#isGone) return;
    clearInterval(this.#closing);
    if (performance.now() - this.#receivedAt > QUIET_MS) this.#sendClose(code, reason);
    else this.#closeWhenQuiet(code, reason);
    // The runtime waits for the peer without end, be it for room to write or for its close frame.
    this.#lingering ??= setTimeout(() => this.#options.abort(), withinMs);
  }

  /** The connection is gone: stop waiting for it. */
  [Symbol.dispose](): void {
    this.#isGone = true;
    clearInterval(this.#closing);
    clearTimeout(this.#lingering);
  }

  /**
   * The runtime fails to send the close frame if the peer's next message is there already. Looks
   * are counted, not time alone: after a busy spell they come before what has arrived is read.
   */
  #closeWhenQuiet(code: number, reason: string): void {
    let looks = 0;
    let quietLooks = 0;
    let seen = this.#received;
    this.#closing = setInterval(() => {
      looks += 1;
      quietLooks = this.#received === seen ? quietLooks + 1 : 0;
      seen = this.#received;
      if (quietLooks < QUIET_LOOKS && looks < MAX_LOOKS) return;
      clearInterval(this.#closing);
      this.#sendClose(code, reason);
    }, LOOK_EVERY_MS);
  }

  #sendClose(code: number, reason: string): void {
    try {
      this.#socket.close(code, reason);
    } catch {
      // It was on its way out already; the wait for its end still holds.
    }
  }
}
