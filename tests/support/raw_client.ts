import { within } from "./until.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What came in answer to a handshake. */
export interface Handshake {
  readonly status: number;
  readonly headers: Headers;
}

/** What a raw client read until its connection ended. */
export interface Reading {
  readonly texts: string[];
  /** The code of the close frame, if one came. */
  readonly closeCode: number | undefined;
  readonly end: "end" | "reset";
}

/**
 * A WebSocket client that is nothing but a TCP connection: it reads when told to and never on its
 * own, answers no ping and no close, and can vanish with a reset.
 */
export class RawClient implements Disposable {
  readonly handshake: Handshake;
  readonly #connection: Deno.TcpConn;
  #buffer = new Uint8Array(0);

  private constructor(connection: Deno.TcpConn, handshake: Handshake) {
    this.#connection = connection;
    this.handshake = handshake;
  }

  /** Asks for a WebSocket at an `http:` or `ws:` URL and reads the answer's head, no more. */
  static async connect(
    url: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<RawClient> {
    const { hostname, port, host, pathname, search } = new URL(url);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const lines = Object.entries({
      host,
      upgrade: "websocket",
      connection: "Upgrade",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    const request = `GET ${pathname}${search} HTTP/1.1\r\n${lines.join("")}\r\n`;
    await connection.write(encoder.encode(request));
    const head = await within(readHead(connection), { explain: () => "no answer to a handshake" });
    return new RawClient(connection, head);
  }

  /** Sends a text message, masked as RFC 6455 section 5.3 asks of clients. */
  async send(text: string): Promise<void> {
    const payload = encoder.encode(text);
    if (payload.length > 125) throw new RangeError("only short messages are needed so far");
    const mask = crypto.getRandomValues(new Uint8Array(4));
    const masked = payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
    await this.#connection.write(
      new Uint8Array([0x81, 0x80 | payload.length, ...mask, ...masked]),
    );
  }

  /** This client's own port, by which the other side knows it. */
  get port(): number {
    return this.#connection.localAddr.port;
  }

  /** Reads one text frame, such as the welcome. */
  async readText(): Promise<string> {
    const frame = await within(this.#readFrame(), { explain: () => "no frame came" });
    if (frame?.opcode !== 1) throw new Error(`no text frame but ${frame?.opcode ?? "the end"}`);
    return decoder.decode(frame.payload);
  }

  /** Vanishes: closing with unread data makes the kernel send a reset instead of an end. */
  async reset(): Promise<void> {
    // Part of a frame read proves that there is more of it to be left unread.
    await this.#fill(1);
    this.#connection.close();
  }

  /** Reads whatever there is until the connection ends. */
  async readToEnd(): Promise<Reading> {
    const texts: string[] = [];
    let closeCode: number | undefined;
    try {
      for (;;) {
        const frame = await this.#readFrame();
        if (frame === undefined) return { texts, closeCode, end: "end" };
        if (frame.opcode === 1) texts.push(decoder.decode(frame.payload));
        if (frame.opcode === 8) closeCode = new DataView(frame.payload.buffer).getUint16(0);
      }
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionReset) return { texts, closeCode, end: "reset" };
      throw error;
    }
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch {
      // It was reset.
    }
  }

  /** A whole unmasked frame; `undefined` at the end of the connection, also amid a frame. */
  async #readFrame(): Promise<{ opcode: number; payload: Uint8Array<ArrayBuffer> } | undefined> {
    if (!await this.#fill(2)) return undefined;
    const [first = 0, short = 0] = this.#buffer;
    const extra = short === 127 ? 8 : short === 126 ? 2 : 0;
    if (!await this.#fill(2 + extra)) return undefined;
    const view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset);
    const length = extra === 8
      ? Number(view.getBigUint64(2))
      : extra === 2
      ? view.getUint16(2)
      : short;
    if (!await this.#fill(2 + extra + length)) return undefined;
    const payload = this.#buffer.slice(2 + extra, 2 + extra + length);
    this.#buffer = this.#buffer.slice(2 + extra + length);
    return { opcode: first & 0x0f, payload };
  }

  /** Reads until `length` bytes are at hand; false if the connection ends before. */
  async #fill(length: number): Promise<boolean> {
    const parts = [this.#buffer];
    let have = this.#buffer.length;
    let isOpen = true;
    while (have < length && isOpen) {
      const part = new Uint8Array(length - have > 4096 ? 65_536 : length - have);
      const count = await this.#connection.read(part);
      isOpen = count !== null;
      parts.push(part.subarray(0, count ?? 0));
      have += count ?? 0;
    }
    if (parts.length > 1) {
      this.#buffer = new Uint8Array(have);
      let at = 0;
      for (const part of parts) {
        this.#buffer.set(part, at);
        at += part.length;
      }
    }
    return have >= length;
  }
}

/** Reads byte by byte, so as to take nothing of what follows the head. */
async function readHead(connection: Deno.Conn): Promise<Handshake> {
  let text = "";
  const byte = new Uint8Array(1);
  while (!text.endsWith("\r\n\r\n")) {
    if (await connection.read(byte) === null) throw new Error(`the answer broke off: ${text}`);
    text += decoder.decode(byte);
  }
  const [status = "", ...lines] = text.trimEnd().split("\r\n");
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return { status: Number(status.split(" ")[1]), headers };
}
