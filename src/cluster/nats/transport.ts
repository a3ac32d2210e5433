import {
  checkOptions,
  type ConnectionOptions,
  extractProtocolMessage,
  INFO,
  type NatsConnection,
  NatsConnectionImpl,
  type Server,
  type ServerInfo,
  setTransportFactory,
  type Transport,
} from "@nats-io/nats-core/internal";
import { type ByteStream, NodeSocket } from "./node_socket.ts";

/** Most bytes that wait for a server which takes none; one more frame ends the connection. */
const OUTBOX_BYTES = 64 * 1024 * 1024;

const READ_BYTES = 65_536;

/** How long a greeting may be, in bytes: more is no NATS server. */
const GREETING_BYTES = 65_536;

/**
 * Connects to NATS over the runtime's own sockets.
 *
 * The library's transport for Node ends the process with an uncaught `ECONNRESET` when a server
 * refuses a login in the wrong moment, keeps a socket of every attempt at a silent server, does not
 * end while a server takes nothing, and knows no TLS on older Denos.
 *
 * @throws What the last server that was tried answered: `AuthorizationError`, `TimeoutError`,
 * `ConnectionError` of the library, or an error of the runtime such as `Deno.errors.ConnectionRefused`.
 */
export function connectNats(options: ConnectionOptions): Promise<NatsConnection> {
  setTransportFactory({ factory: () => new DenoTransport() });
  return NatsConnectionImpl.connect(options);
}

/** One connection to one server; the library makes another for each attempt. */
class DenoTransport implements Transport {
  readonly lang = "deno";
  readonly version = Deno.version.deno;
  closeError?: Error;
  #socket: ByteStream | undefined;
  #isEncrypted = false;
  /** Whether `connect` succeeded: only then has anybody to be told of the end. */
  #isOpen = false;
  #isClosed = false;
  readonly #aborted = new AbortController();
  readonly #closed = Promise.withResolvers<void | Error>();
  /** Read with the greeting, for the library's parser to see again. */
  #greeting = new Uint8Array();
  #outbox: Uint8Array[] = [];
  #outboxBytes = 0;
  #isSending = false;

  get isClosed(): boolean {
    return this.#isClosed;
  }

  async connect(server: Server, options: ConnectionOptions): Promise<void> {
    try {
      await this.#open(server, options);
    } catch (error) {
      this.#end();
      throw error;
    }
    if (this.#isClosed) throw new Deno.errors.Interrupted("closed while it connected");
    this.#isOpen = true;
  }

  isEncrypted(): boolean {
    return this.#isEncrypted;
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    yield this.#greeting;
    try {
      for (;;) {
        const buffer = new Uint8Array(READ_BYTES);
        const count = await this.#socket?.read(buffer) ?? null;
        if (count === null || this.#isClosed) break;
        yield buffer.subarray(0, count);
      }
      this.#finish();
    } catch (error) {
      this.#finish(asError(error));
    }
  }

  send(frame: Uint8Array): void {
    if (this.#isClosed) return;
    // The library writes into its buffer again once this returns.
    this.#outbox.push(frame.slice());
    this.#outboxBytes += frame.length;
    if (this.#outboxBytes > OUTBOX_BYTES) {
      this.#finish(new Error(`the server takes nothing: ${OUTBOX_BYTES} bytes wait`));
    } else if (!this.#isSending) this.#sendAll();
  }

  close(error?: Error): Promise<void> {
    this.#finish(error);
    return Promise.resolve();
  }

  disconnect(): void {
    this.#finish();
  }

  closed(): Promise<void | Error> {
    return this.#closed.promise;
  }

  /** Ends it without telling anybody: the library has turned to another. */
  discard(): void {
    this.#end();
  }

  async #open(server: Server, options: ConnectionOptions): Promise<void> {
    const { hostname, port, tlsName } = server;
    const { signal } = this.#aborted;
    const { ca, caFile, certFile, keyFile } = options.tls ?? {};
    const isCertified = certFile !== undefined && keyFile !== undefined;
    const plain = isCertified
      ? await NodeSocket.connect({ hostname, port, signal })
      : await Deno.connect({ hostname, port, signal });
    this.#adopt(plain);
    if (!(plain instanceof NodeSocket)) plain.setNoDelay(true);
    const info = await this.#readGreeting(plain);
    checkOptions(info, options);
    const { tls_required: isRequired, tls_available: isAvailable } = info;
    if (!isRequired && !(isAvailable && options.tls)) return;
    const caCerts = caFile ? [await Deno.readTextFile(caFile)] : ca ? [ca].flat() : [];
    const name = tlsName || hostname;
    if (plain instanceof NodeSocket) {
      const [cert, key] = await Promise.all(
        [certFile, keyFile].map((file = "") => Deno.readTextFile(file)),
      );
      this.#adopt(await plain.startTls({ hostname: name, caCerts, cert, key }));
    } else {
      const tls = await Deno.startTls(plain, { hostname: name, caCerts });
      this.#adopt(tls);
      await tls.handshake();
    }
    this.#isEncrypted = true;
  }

  /** Keeps a socket, or closes it at once if this was closed meanwhile. */
  #adopt(socket: ByteStream): void {
    this.#socket = socket;
    if (!this.#isClosed) return;
    closeQuietly(socket);
    throw new Deno.errors.Interrupted("closed while it connected");
  }

  async #readGreeting(socket: ByteStream): Promise<ServerInfo> {
    const bytes = new Uint8Array(GREETING_BYTES);
    for (let length = 0; length < bytes.length;) {
      const count = await socket.read(bytes.subarray(length));
      if (count === null) {
        throw new Deno.errors.UnexpectedEof("the server ended without a greeting");
      }
      length += count;
      this.#greeting = bytes.subarray(0, length);
      const line = extractProtocolMessage(this.#greeting);
      if (line === "") continue;
      const [, info] = INFO.exec(line) ?? [];
      if (info === undefined) break;
      return JSON.parse(info);
    }
    throw new Deno.errors.InvalidData("what listens there does not greet as a NATS server does");
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    try {
      for (;;) {
        const frames = this.#outbox;
        if (frames.length === 0 || this.#isClosed) break;
        this.#outbox = [];
        for (const frame of frames) {
          for (let at = 0; at < frame.length;) {
            at += await this.#socket?.write(frame.subarray(at)) ?? frame.length;
          }
          this.#outboxBytes -= frame.length;
        }
      }
    } catch (error) {
      this.#finish(asError(error));
    } finally {
      this.#isSending = false;
    }
  }

  #finish(error?: Error): void {
    if (this.#isClosed) return;
    const wasOpen = this.#isOpen;
    this.#end();
    if (!wasOpen) return;
    if (error) this.closeError = error;
    this.#closed.resolve(error);
  }

  #end(): void {
    this.#isClosed = true;
    this.#aborted.abort();
    this.#outbox = [];
    if (this.#socket) closeQuietly(this.#socket);
  }
}

function closeQuietly(socket: ByteStream): void {
  try {
    socket.close();
  } catch {
    // It is closed already.
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
