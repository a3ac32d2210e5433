import { Watched } from "./until.ts";
import { FrameReader, OPCODE, type ServerFrame } from "./ws_frame.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** How a connection ended, as the kernel told it. */
export type TcpEnd = "end" | "reset";

/** The lines of a WebSocket handshake that is as it should be. */
export const HANDSHAKE_HEADERS: readonly (readonly [name: string, value: string])[] = [
  ["Host", "127.0.0.1"],
  ["Upgrade", "websocket"],
  ["Connection", "Upgrade"],
  ["Sec-WebSocket-Version", "13"],
  ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
];

/** The text of a request's head. */
export function headText(
  requestLine: string,
  headers: readonly (readonly [name: string, value: string])[],
): string {
  return `${requestLine}\r\n${
    headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")
  }\r\n`;
}

/**
 * The other end of a TCP connection to a hub, which sends whatever bytes a test wants and keeps all
 * it reads: as an HTTP answer's text, and after a 101 as WebSocket frames.
 */
export class TcpPeer implements Disposable {
  /** The answer's head and, if it is no WebSocket's, its body as it came. */
  answer = "";
  readonly frames: ServerFrame[] = [];
  end: TcpEnd | undefined;
  readonly #connection: Deno.TcpConn;
  readonly #watched = new Watched();
  readonly #reading: Promise<void>;
  readonly #reader = new FrameReader();
  #isWebSocket = false;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.#reading = this.#read();
  }

  static async connect(url: string): Promise<TcpPeer> {
    const { hostname, port } = new URL(url);
    return new TcpPeer(await Deno.connect({ hostname, port: Number(port) }));
  }

  /** Connects, shakes hands and waits for the answer. */
  static async openWebSocket(url: string): Promise<TcpPeer> {
    const { pathname, search } = new URL(url);
    const peer = await TcpPeer.connect(url);
    try {
      await peer.send(headText(`GET ${pathname}${search} HTTP/1.1`, HANDSHAKE_HEADERS));
      await peer.waitForFrame(({ type }) => type === "welcome");
      return peer;
    } catch (error) {
      peer[Symbol.dispose]();
      throw error;
    }
  }

  /** The answer's status; 0 if none came. */
  get status(): number {
    return Number(/^HTTP\/1\.[01] (\d{3})/.exec(this.answer)?.[1] ?? 0);
  }

  /** The answer's body, once its head is whole. */
  get body(): string {
    const at = this.answer.indexOf("\r\n\r\n");
    return at === -1 ? "" : this.answer.slice(at + 4);
  }

  /** What came in text frames, parsed; the lists of batches taken apart. */
  // deno-lint-ignore no-explicit-any -- tests look into whatever came
  get messages(): any[] {
    return this.frames.filter(({ opcode }) => opcode === OPCODE.text)
      .flatMap(({ payload }) => JSON.parse(decoder.decode(payload)));
  }

  /** The error codes in those messages. */
  get codes(): string[] {
    return this.messages.flatMap(({ data }) => typeof data?.code === "string" ? [data.code] : []);
  }

  /** The code of the close frame; 1005 for an empty one, undefined if none came. */
  get closeCode(): number | undefined {
    const close = this.frames.find(({ opcode }) => opcode === OPCODE.close);
    if (close === undefined) return undefined;
    return close.payload.length < 2 ? 1005 : new DataView(close.payload.buffer).getUint16(0);
  }

  /** Sends bytes or text; false if the connection is gone. */
  async send(data: Uint8Array | string): Promise<boolean> {
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    try {
      for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
      return true;
    } catch {
      return false;
    }
  }

  /** Says that nothing more will come; the connection stays open the other way. */
  async finish(): Promise<void> {
    await this.#connection.closeWrite().catch(() => {});
  }

  // deno-lint-ignore no-explicit-any -- tests look into whatever came
  waitForFrame(fits: (message: any) => boolean): Promise<void> {
    return this.waitFor(() => this.messages.some(fits), "such a frame");
  }

  /** Waits until `holds`, or fails when the connection ends first. */
  async waitFor(holds: () => boolean, what: string): Promise<void> {
    await this.#watched.until(() => {
      if (holds()) return true;
      if (this.end) throw new Error(`the connection ended before ${what}; ${this.#story()}`);
      return undefined;
    }, { explain: () => `there was no ${what}; ${this.#story()}` });
  }

  waitForEnd(): Promise<TcpEnd> {
    return this.#watched.until(() => this.end, {
      explain: () => `the connection did not end; ${this.#story()}`,
    });
  }

  /**
   * Waits for the whole answer of a request: by its length, or by the end.
   *
   * @param isHead It was a `HEAD`, whose answer has no body whatever its length.
   */
  async waitForAnswer(isHead = false): Promise<void> {
    await this.#watched.until(() => this.#hasAnswer(isHead) || this.end, {
      explain: () => `the answer did not come whole; ${this.#story()}`,
    });
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch {
      // It was reset.
    }
  }

  #hasAnswer(isHead: boolean): boolean {
    if (this.#isWebSocket) return true;
    const at = this.answer.indexOf("\r\n\r\n");
    if (at === -1) return false;
    if (isHead || this.status === 204) return true;
    const head = this.answer.slice(0, at);
    if (/^content-type: text\/event-stream/im.test(head)) return true;
    const length = /^content-length: (\d+)/im.exec(head)?.[1];
    if (length !== undefined) return this.body.length >= Number(length);
    return /^transfer-encoding: chunked/im.test(head) && /(^|\r\n)0\r\n\r\n$/.test(this.body);
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const count = await this.#connection.read(buffer);
        if (count === null) break;
        this.#take(buffer.slice(0, count));
        this.#watched.changed();
      }
      this.end ??= "end";
    } catch {
      this.end ??= "reset";
    }
    this.#watched.changed();
  }

  #take(bytes: Uint8Array): void {
    if (this.#isWebSocket) {
      this.frames.push(...this.#reader.push(bytes));
      return;
    }
    const before = this.answer.length;
    // One character a byte, so that places in the text are places in the bytes.
    this.answer += Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
    const at = this.answer.indexOf("\r\n\r\n");
    if (at === -1 || this.status !== 101) return;
    this.#isWebSocket = true;
    this.answer = this.answer.slice(0, at + 4);
    this.frames.push(...this.#reader.push(bytes.subarray(at + 4 - before)));
  }

  #story(): string {
    return JSON.stringify({
      answer: this.answer.slice(0, 300),
      frames: this.frames.length,
      codes: this.#isWebSocket ? this.codes : [],
      closeCode: this.closeCode,
      end: this.end,
    });
  }
}
