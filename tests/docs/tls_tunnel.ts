/**
 * Takes plain connections and passes them on over TLS, so that clients of the tests, which trust
 * nobody, can talk to a proxy as it is documented.
 */
export class TlsTunnel implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #to: Deno.ConnectOptions;
  readonly #certificate: string;
  readonly #open = new Set<Deno.Conn>();
  readonly #pipes = new Set<Promise<unknown>>();
  readonly #accepting: Promise<void>;

  /** @param certificate PEM of the certificate that the other end must have, for `localhost`. */
  constructor(to: Deno.ConnectOptions, certificate: string) {
    this.#to = to;
    this.#certificate = certificate;
    this.#accepting = this.#accept();
  }

  get url(): string {
    const { port } = this.#listener.addr as Deno.NetAddr;
    return `http://127.0.0.1:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const conn of this.#open) close(conn);
    await Promise.all(this.#pipes);
  }

  async #accept(): Promise<void> {
    for await (const near of this.#listener) {
      const pipe = this.#join(near).finally(() => this.#pipes.delete(pipe));
      this.#pipes.add(pipe);
    }
  }

  async #join(near: Deno.Conn): Promise<void> {
    this.#open.add(near);
    try {
      const plain = await Deno.connect(this.#to);
      const far = await Deno.startTls(plain, {
        hostname: "localhost",
        caCerts: [this.#certificate],
      });
      this.#open.add(far);
      await Promise.race([copy(near, far), copy(far, near)]);
      // Either end is gone: so is the other.
      close(far);
      this.#open.delete(far);
    } catch {
      // No connection, no TLS: the client sees its own end.
    } finally {
      close(near);
      this.#open.delete(near);
    }
  }
}

async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    for (;;) {
      const count = await from.read(buffer);
      if (count === null) return;
      for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
    }
  } catch {
    // Closed under us: the end all the same.
  }
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It is already.
  }
}
