import { within } from "../support/until.ts";

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * A WebSocket client on bare TCP that reads from when it is told to, and answers pings by itself
 * or when told to.
 */
export class PongClient implements Disposable {
  /** Text frames read. */
  texts = 0;
  /** Code of the close frame, once it came. */
  closeCode: number | undefined;
  hasEnded = false;
  /** Whether it answers pings by itself. */
  answers = true;
  /** Set to false it stops reading after the next bytes. */
  isReading = false;
  readonly #connection: Deno.TcpConn;
  readonly #onPing: ((payload: Bytes) => void)[] = [];
  #buffer: Bytes = new Uint8Array(0);
  #isOpen = false;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Asks for a WebSocket; reads nothing yet, not even the answer. */
  static async connect(url: string): Promise<PongClient> {
    const { hostname, port, host, pathname, search } = new URL(url);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const head = [
      `GET ${pathname}${search} HTTP/1.1`,
      `host: ${host}`,
      "upgrade: websocket",
      "connection: Upgrade",
      "sec-websocket-version: 13",
      "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    await connection.write(new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n`));
    return new PongClient(connection);
  }

  /** Reads from now on; resolves at the connection's end or when it stops reading. */
  async read(): Promise<void> {
    const chunk = new Uint8Array(65_536);
    this.isReading = true;
    try {
      while (this.isReading) {
        const count = await this.#connection.read(chunk);
        if (count === null) break;
        const grown = new Uint8Array(this.#buffer.length + count);
        grown.set(this.#buffer);
        grown.set(chunk.subarray(0, count), this.#buffer.length);
        this.#buffer = grown;
        this.#isOpen ||= this.#skipHead();
        while (this.#isOpen && await this.#takeFrame());
      }
    } catch {
      // Reset, or closed by ourselves.
    }
    this.hasEnded = this.isReading;
  }

  /** The next ping's payload. */
  ping(): Promise<Bytes> {
    const { promise, resolve } = Promise.withResolvers<Bytes>();
    this.#onPing.push(resolve);
    return within(promise, {
      explain: () => `no ping came; ended: ${this.hasEnded}, close code: ${this.closeCode}`,
    });
  }

  pong(payload: Bytes): Promise<void> {
    return this.#send(PONG, payload);
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch {
      // It was closed already.
    }
  }

  /** Sends a short frame. */
  async #send(opcode: number, payload: Bytes): Promise<void> {
    // RFC 6455 section 5.3 asks clients for a mask; zeros are one.
    await this.#connection.write(
      new Uint8Array([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0, ...payload]),
    );
  }

  #skipHead(): boolean {
    const end = new TextDecoder().decode(this.#buffer).indexOf("\r\n\r\n");
    if (end < 0) return false;
    this.#buffer = this.#buffer.slice(end + 4);
    return true;
  }

  /** Takes a frame if a whole one is there. */
  async #takeFrame(): Promise<boolean> {
    const [first = 0, short = 0] = this.#buffer;
    const headLength = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (this.#buffer.length < headLength) return false;
    const view = new DataView(this.#buffer.buffer);
    const length = short === 127
      ? Number(view.getBigUint64(2))
      : short === 126
      ? view.getUint16(2)
      : short;
    if (this.#buffer.length < headLength + length) return false;
    const payload = this.#buffer.slice(headLength, headLength + length);
    this.#buffer = this.#buffer.slice(headLength + length);
    const opcode = first & 0x0f;
    if (opcode === TEXT) this.texts += 1;
    if (opcode === CLOSE) {
      this.closeCode = new DataView(payload.buffer).getUint16(0);
      await this.#send(CLOSE, payload); // RFC 6455 section 5.5.1: with the code it came with
    }
    if (opcode === PING) {
      for (const resolve of this.#onPing.splice(0)) resolve(payload);
      if (this.answers) await this.pong(payload);
    }
    return true;
  }
}
