import { Code, ConnectError } from "@connectrpc/connect";
import type { GrpcTransportOptions } from "@connectrpc/connect-node";
import http2 from "node:http2";
import net from "node:net";
import tls from "node:tls";
import { guardHttp2, hasModernHttp2 } from "./runtime.ts";
import type { GrpcEndpoint, GrpcPem } from "./transport.ts";

/** What a channel needs to know of its endpoint. */
export type GrpcChannelOptions = Pick<GrpcEndpoint, "tls" | "keepaliveMs" | "keepaliveTimeoutMs">;

/** What Connect's transport wants of a connection manager. */
type SessionManager = NonNullable<GrpcTransportOptions["sessionManager"]>;

/** Longest a connection may take to come about, in milliseconds; calls have deadlines of their own. */
const CONNECT_TIMEOUT_MS = 20_000;

/**
 * Silence, in milliseconds, under open streams alone after which the server is pinged: gRPC servers
 * end connections on which they are pinged more often than every 5 minutes without saying anything.
 */
const STREAM_KEEPALIVE_MS = 310_000;

/**
 * Silence, in milliseconds, after which an unanswered call condemns its connection where the
 * runtime cannot ping.
 */
const SUSPECT_AFTER_MS = 1000;

/** One HTTP/2 connection, with when it was last heard of. */
interface Http2Connection {
  readonly session: http2.ClientHttp2Session;
  readonly ready: Promise<void>;
  /** Monotonic milliseconds. */
  heardAt: number;
  openCalls: number;
  /** Those of them that are streams. */
  openStreams: number;
  /** Waits for silence while calls are open, or for the answer to a ping. */
  timer: ReturnType<typeof setTimeout> | undefined;
  awaitsPing: boolean;
}

/**
 * The one channel to a gRPC backend: opens a connection when a call needs one, keeps it, notices
 * when the peer is dead, and opens another. It never waits before it tries again, because the
 * breaker above it decides when to try.
 *
 * Pings go out only while a call is open on a silent connection: servers end connections that ping
 * without a call (gRPC proposal A8).
 *
 * Nothing is done to a session inside one of its own events, but a turn later: the runtime's HTTP/2
 * library is in the middle of it then, and the process would die of a pointer to what is gone.
 */
export class GrpcChannel implements SessionManager, Disposable {
  readonly authority: string;
  readonly #options: GrpcChannelOptions;
  readonly #guard = guardHttp2();
  readonly #all = new Set<Http2Connection>();
  /** Paths of methods that give streams; at most those of the `.proto` file. */
  readonly #streamPaths = new Set<string>();
  #current: Http2Connection | undefined;
  #canPing = true;
  #isDisposed = false;

  constructor(url: URL, options: GrpcChannelOptions) {
    this.authority = url.origin;
    this.#options = options;
  }

  /** Opens a stream; what Connect's transport calls. Fails with what kept the connection away. */
  async request(
    method: string,
    path: string,
    headers: http2.OutgoingHttpHeaders,
  ): Promise<http2.ClientHttp2Stream> {
    const connection = this.#connection();
    await connection.ready;
    const stream = connection.session.request({ ...headers, ":method": method, ":path": path });
    // Connect listens a moment later; an error until then must not be nobody's.
    stream.on("error", ignore);
    this.#watch(connection, stream, this.#streamPaths.has(new URL(path, this.authority).pathname));
    return stream;
  }

  /**
   * Resolves once there is a connection for a stream, which it opens if need be; fails with what
   * kept it away.
   *
   * @param path Of the method, which may be silent for as long as it likes.
   */
  async connectedFor(path: string): Promise<void> {
    this.#streamPaths.add(path);
    await this.#connection().ready;
  }

  /** Bytes came: the peer is alive. */
  notifyResponseByteRead(stream: http2.ClientHttp2Stream): void {
    for (const connection of this.#all) {
      if (connection.session === stream.session) connection.heardAt = performance.now();
    }
  }

  /** Closes every connection at once; calls that are open fail. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    for (const connection of [...this.#all]) this.#end(connection, closedError());
    this.#guard[Symbol.dispose]();
  }

  #connection(): Http2Connection {
    if (this.#isDisposed) throw closedError();
    const { session } = this.#current ?? {};
    if (this.#current && session && !session.closed && !session.destroyed) return this.#current;
    return this.#current = this.#connect();
  }

  #connect(): Http2Connection {
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
    ready.catch(ignore);
    const url = new URL(this.authority);
    // A socket of ours can be listened to for good: an error that nobody listens to, such as a TLS
    // alert that comes late, would end the hub. The older client wants to make TLS ones itself.
    const socket = hasModernHttp2() || url.protocol === "http:"
      ? connectSocket(url, this.#options.tls)
      : undefined;
    const session = http2.connect(
      this.authority,
      socket === undefined ? {} : { createConnection: () => socket },
    );
    const connection: Http2Connection = {
      session,
      ready,
      heardAt: performance.now(),
      openCalls: 0,
      openStreams: 0,
      timer: undefined,
      awaitsPing: false,
    };
    this.#all.add(connection);
    const fail = (error: Error) => {
      clearTimeout(deadline);
      reject(error);
      this.#end(connection, error);
    };
    const deadline = setTimeout(
      () => fail(new ConnectError("the connection did not come about in time", Code.Unavailable)),
      CONNECT_TIMEOUT_MS,
    );
    const onLost = () => fail(lostError());
    socket?.on("error", fail);
    socket?.on("close", onLost);
    session.on("error", fail);
    session.on("close", onLost);
    session.on("goaway", () => {
      if (this.#current === connection) this.#current = undefined;
      setTimeout(() => this.#retire(connection), 0);
    });
    session.once("connect", () => {
      clearTimeout(deadline);
      resolve();
    });
    return connection;
  }

  /** Gives no more calls to a connection; those it has may finish. */
  #retire(connection: Http2Connection): void {
    if (this.#current === connection) this.#current = undefined;
    if (connection.openCalls === 0) this.#end(connection, lostError());
  }

  #end(connection: Http2Connection, error: Error): void {
    if (this.#current === connection) this.#current = undefined;
    if (!this.#all.delete(connection)) return;
    clearTimeout(connection.timer);
    setTimeout(() => connection.session.destroy(error), 0);
  }

  #watch(connection: Http2Connection, stream: http2.ClientHttp2Stream, isStream: boolean): void {
    const startedAt = performance.now();
    connection.openCalls += 1;
    if (isStream) connection.openStreams += 1;
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      connection.openCalls -= 1;
      if (isStream) connection.openStreams -= 1;
      if (connection.openCalls === 0 && !connection.awaitsPing) clearTimeout(connection.timer);
      const now = performance.now();
      const isSilent = connection.heardAt < startedAt && now - startedAt >= SUSPECT_AFTER_MS;
      if (!this.#canPing && isSilent) this.#retire(connection);
      if (this.#current !== connection && connection.openCalls === 0) {
        this.#end(connection, lostError());
      }
    };
    stream.once("response", () => connection.heardAt = performance.now());
    stream.once("close", over);
    if (!hasModernHttp2()) {
      // The older client's session neither closes nor errs when its connection breaks, and its
      // streams do not close when they were read to their end.
      stream.on("error", () => this.#retire(connection));
      stream.once("end", over);
    }
    this.#awaitSilence(connection);
  }

  /** Pings once the connection has been silent for long enough while a call is open. */
  #awaitSilence(connection: Http2Connection): void {
    if (connection.awaitsPing || !this.#canPing) return;
    clearTimeout(connection.timer);
    const silentMs = performance.now() - connection.heardAt;
    const { keepaliveMs } = this.#options;
    const hasStreamsAlone = connection.openStreams === connection.openCalls;
    const mayBeSilentMs = hasStreamsAlone
      ? Math.max(keepaliveMs, STREAM_KEEPALIVE_MS)
      : keepaliveMs;
    const waitMs = mayBeSilentMs - silentMs;
    if (waitMs <= 0) return this.#ping(connection);
    connection.timer = setTimeout(() => {
      if (connection.openCalls > 0) this.#awaitSilence(connection);
    }, waitMs);
  }

  #ping(connection: Http2Connection): void {
    const { keepaliveTimeoutMs } = this.#options;
    const onAnswer = () => {
      if (!this.#all.has(connection)) return;
      clearTimeout(connection.timer);
      connection.awaitsPing = false;
      connection.heardAt = performance.now();
      if (connection.openCalls > 0) this.#awaitSilence(connection);
    };
    try {
      connection.awaitsPing = connection.session.ping(onAnswer) !== false;
    } catch {
      // Deno before its HTTP/2 rewrite cannot ping: unanswered calls must tell instead.
      this.#canPing = false;
      return;
    }
    connection.timer = setTimeout(() => {
      const message = `the connection is dead: no answer to a ping in ${keepaliveTimeoutMs} ms`;
      this.#end(connection, new ConnectError(message, Code.Unavailable));
    }, keepaliveTimeoutMs);
  }
}

function connectSocket(url: URL, options: GrpcPem = {}): net.Socket {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (url.protocol === "http:") return net.connect(Number(url.port || 80), host);
  return tls.connect({
    host,
    port: Number(url.port || 443),
    ALPNProtocols: ["h2"],
    // A name to ask for; an address has none (RFC 6066 section 3).
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
    ...options,
  });
}

function closedError(): ConnectError {
  return new ConnectError("the channel is closed", Code.Unavailable);
}

function lostError(): ConnectError {
  return new ConnectError("the connection was lost", Code.Unavailable);
}

function ignore(): void {}
