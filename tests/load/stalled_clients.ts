const HANDSHAKE = [
  "upgrade: websocket",
  "connection: Upgrade",
  "sec-websocket-version: 13",
  "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
];

/** Clients on bare TCP that ask for a WebSocket and read no byte of what comes, unless told to. */
export class StalledClients implements Disposable {
  readonly #connections: Deno.TcpConn[] = [];
  #isReading = false;

  /** Connects so many. */
  static async connect(url: string, count: number): Promise<StalledClients> {
    const { hostname, port, host, pathname, search } = new URL(url);
    const lines = [`GET ${pathname}${search} HTTP/1.1`, `host: ${host}`, ...HANDSHAKE];
    const request = new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`);
    const clients = new StalledClients();
    for (let nth = 0; nth < count; nth++) {
      const connection = await Deno.connect({ hostname, port: Number(port) });
      clients.#connections.push(connection);
      await connection.write(request);
    }
    return clients;
  }

  /** Reads whatever comes, until {@linkcode StalledClients.stall}. */
  read(): void {
    this.#isReading = true;
    for (const connection of this.#connections) void this.#readFrom(connection);
  }

  /** Reads no more. */
  stall(): void {
    this.#isReading = false;
  }

  [Symbol.dispose](): void {
    for (const connection of this.#connections) connection.close();
  }

  async #readFrom(connection: Deno.TcpConn): Promise<void> {
    const chunk = new Uint8Array(16_384);
    try {
      while (this.#isReading && await connection.read(chunk) !== null);
    } catch {
      // Closed by ourselves.
    }
  }
}
