/** A client that is nothing but a TCP connection: it reads when told to, or never. */
export class RawClient implements Disposable {
  readonly #conn: Deno.TcpConn;

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  static async connect(address: { hostname: string; port: number }): Promise<RawClient> {
    const { hostname, port } = address;
    return new RawClient(await Deno.connect({ hostname, port }));
  }

  /** This client's own end of the connection, which the server sees as its peer. */
  get address(): Deno.NetAddr {
    return this.#conn.localAddr;
  }

  /** Asks for a path and reads nothing of the answer. */
  async request(path: string, headers: Readonly<Record<string, string>> = {}): Promise<void> {
    const lines = Object.entries({ host: "localhost", ...headers })
      .map(([name, value]) => `${name}: ${value}\r\n`);
    await this.write(new TextEncoder().encode(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`));
  }

  /** Asks for a WebSocket. */
  async upgrade(path = "/ws"): Promise<void> {
    await this.request(path, {
      upgrade: "websocket",
      connection: "Upgrade",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    });
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** Reads until the connection ends, and tells how it did. */
  async readToEnd(): Promise<"end" | "reset"> {
    const buffer = new Uint8Array(65_536);
    try {
      while (await this.#conn.read(buffer) !== null);
      return "end";
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionReset) return "reset";
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }
}
