import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

/** As much of a socket as is used. */
export interface ByteStream {
  /** Null at its end. */
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

export interface NodeSocketOptions {
  hostname: string;
  port: number;
  signal: AbortSignal;
}

export interface NodeTlsOptions {
  hostname: string;
  caCerts: string[];
  cert: string | undefined;
  key: string | undefined;
}

/**
 * A socket of Node's, for the one thing the runtime's own cannot: to show a client's certificate on a
 * connection that began unencrypted, as NATS' do.
 */
export class NodeSocket implements ByteStream {
  readonly #socket: Socket;
  /** Read and not yet taken: one piece at a time, as the socket is paused meanwhile. */
  #piece: Uint8Array = new Uint8Array();
  #isEnded = false;
  #error: Error | undefined;
  #changed = Promise.withResolvers<void>();
  readonly #onData = (piece: Uint8Array) => {
    this.#piece = piece;
    this.#socket.pause();
    this.#tell();
  };

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", this.#onData);
    const onEnd = () => {
      this.#isEnded = true;
      this.#tell();
    };
    socket.on("end", onEnd).on("close", onEnd);
    // Always listened to: an error without a listener ends the process.
    socket.on("error", (error: Error) => {
      this.#error ??= error;
      onEnd();
    });
  }

  /** @throws {Error} If nobody answers there, or the signal is aborted first. */
  static connect({ hostname, port, signal }: NodeSocketOptions): Promise<NodeSocket> {
    const socket = connect({ host: hostname, port, noDelay: true });
    return opened(new NodeSocket(socket), { socket, event: "connect", signal });
  }

  /** @throws {Error} If one side does not trust the other. */
  startTls({ hostname, caCerts, cert, key }: NodeTlsOptions): Promise<NodeSocket> {
    this.#socket.off("data", this.#onData);
    const socket: TLSSocket = connectTls({
      socket: this.#socket,
      servername: hostname,
      ...(caCerts.length === 0 ? {} : { ca: caCerts }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    });
    return opened(new NodeSocket(socket), { socket, event: "secureConnect" });
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#piece.length === 0) {
      if (this.#error) throw this.#error;
      if (this.#isEnded) return null;
      await this.#changed.promise;
    }
    const taken = this.#piece.subarray(0, into.length);
    into.set(taken);
    this.#piece = this.#piece.subarray(taken.length);
    if (this.#piece.length === 0) this.#socket.resume();
    return taken.length;
  }

  /** Resolves when the bytes are handed over, which waits for those before them. */
  write(bytes: Uint8Array): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    if (this.#isEnded) reject(this.#error ?? new Error("the connection is closed"));
    else this.#socket.write(bytes, (error) => error ? reject(error) : resolve(bytes.length));
    return promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** Waits for a socket's first event. */
async function opened(
  stream: NodeSocket,
  { socket, event, signal }: { socket: Socket; event: string; signal?: AbortSignal },
): Promise<NodeSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => socket.destroy(new Error("given up while it connected"));
  signal?.addEventListener("abort", onAbort, { once: true });
  socket.once(event, () => resolve());
  socket.once("error", reject);
  socket.once("close", () => reject(new Error("the server ended the connection")));
  if (signal?.aborted) onAbort();
  try {
    await promise;
    return stream;
  } catch (error) {
    stream.close();
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
