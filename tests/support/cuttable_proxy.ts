/**
 * A TCP relay on the loopback in front of a server, whose connections a test can cut as a bad
 * network would; new ones are let through.
 */
export class CuttableProxy implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #target: { readonly hostname: string; readonly port: number };
  readonly #connections = new Set<Deno.Conn>();
  readonly #tasks = new Set<Promise<void>>();

  constructor(target: string) {
    const { hostname, port } = new URL(target);
    this.#target = { hostname, port: Number(port) };
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#keep(this.#accept());
  }

  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  /** Ends every connection there is now. */
  cut(): void {
    for (const connection of this.#connections) close(connection);
    this.#connections.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cut();
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }

  #keep(task: Promise<void>): void {
    const kept = task.catch(() => {}).finally(() => this.#tasks.delete(kept));
    this.#tasks.add(kept);
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) this.#keep(this.#relay(client));
  }

  async #relay(client: Deno.TcpConn): Promise<void> {
    this.#connections.add(client);
    try {
      const server = await Deno.connect(this.#target);
      this.#connections.add(server);
      try {
        await Promise.race([
          client.readable.pipeTo(server.writable),
          server.readable.pipeTo(client.writable),
        ]);
      } finally {
        this.#drop(server);
      }
    } finally {
      this.#drop(client);
    }
  }

  #drop(connection: Deno.Conn): void {
    this.#connections.delete(connection);
    close(connection);
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It is closed already.
  }
}
