import type { ClientMessage } from "../../src/protocol/message.ts";

type Json = Record<string, unknown>;

export interface ScriptedHubOptions {
  /** 0: any free one. */
  port?: number;
  /** Answers a request in place of the hub: a door that is shut, or a path of the test's own. */
  door?: (request: Request) => Response | undefined;
  /** Plays the hub for one connection. Default: it welcomes. */
  script?: (connection: ScriptedConnection) => void;
}

/**
 * A WebSocket server on the loopback that says what a test tells it to, for tests of clients
 * which are about what a hub does and when, not about the hub.
 */
export class ScriptedHub implements AsyncDisposable {
  /** Changeable at any time. */
  door: (request: Request) => Response | undefined;
  script: (connection: ScriptedConnection) => void;
  readonly connections: ScriptedConnection[] = [];
  /** `METHOD /path` of every request, upgrades as `UPGRADE /path`. */
  readonly requests: string[] = [];
  /** The most connections that were open at once. */
  mostOpen = 0;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #arrivals = new Waiting<ScriptedConnection>();

  constructor(options: ScriptedHubOptions = {}) {
    const { port = 0, door = () => undefined, script = (connection) => connection.welcome() } =
      options;
    this.door = door;
    this.script = script;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port, onListen: () => {} },
      (request) => this.#answer(request),
    );
  }

  get port(): number {
    return this.#server.addr.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Connections that have not ended. */
  get open(): ScriptedConnection[] {
    return this.connections.filter(({ isOpen }) => isOpen);
  }

  /** The next connection to come, or the oldest one not yet taken. */
  arrival(): Promise<ScriptedConnection> {
    return this.#arrivals.take();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.open.map((connection) => connection.close(1001, "the test is over")));
    await this.#server.shutdown();
  }

  #answer(request: Request): Response {
    const { pathname } = new URL(request.url);
    const upgrades = request.headers.get("upgrade") === "websocket";
    this.requests.push(`${upgrades ? "UPGRADE" : request.method} ${pathname}`);
    const answer = this.door(request);
    if (answer !== undefined) return answer;
    if (pathname !== "/ws") return new Response("not here", { status: 404 });
    if (!upgrades) return new Response("upgrade", { status: 426 });
    const { url, headers } = request; // not readable once upgraded
    const offered = headers.get("sec-websocket-protocol") ?? "";
    const protocols = offered.split(/,\s*/);
    // Deno takes a list without spaces, as the package `ws` sends it, for one name; and only the
    // request itself, not a copy with other headers, becomes a working socket.
    if (offered !== "") {
      const spaced = new Headers(headers);
      spaced.set("sec-websocket-protocol", protocols.join(", "));
      Object.defineProperty(request, "headers", { value: spaced });
    }
    const options = protocols.includes("holdfast") ? { protocol: "holdfast" } : {};
    const { socket, response } = Deno.upgradeWebSocket(request, options);
    const connection = new ScriptedConnection(socket, new URL(url), protocols);
    this.connections.push(connection);
    socket.onopen = () => {
      this.mostOpen = Math.max(this.mostOpen, this.open.length);
      this.script(connection);
      this.#arrivals.put(connection);
    };
    return response;
  }
}

/** One client of a {@linkcode ScriptedHub}. */
export class ScriptedConnection {
  readonly url: URL;
  /** The subprotocols that were offered. */
  readonly protocols: readonly string[];
  /** Resolves when the connection has ended. */
  readonly ended: Promise<void>;
  isOpen = true;
  readonly #socket: WebSocket;
  readonly #messages = new Waiting<ClientMessage>();

  constructor(socket: WebSocket, url: URL, protocols: readonly string[]) {
    this.#socket = socket;
    this.url = url;
    this.protocols = protocols;
    socket.onmessage = ({ data }) => this.#messages.put(JSON.parse(data));
    socket.onerror = () => {};
    this.ended = new Promise((resolve) => {
      socket.onclose = () => {
        this.isOpen = false;
        resolve();
      };
    });
  }

  get query(): Record<string, string> {
    return Object.fromEntries(this.url.searchParams);
  }

  /** The next message of the client, or the oldest one not yet taken. */
  message(): Promise<ClientMessage> {
    return this.#messages.take();
  }

  /** Sends a frame; without `seq` one for this client alone. */
  send(type: string, data: Json, seq?: number): void {
    this.sendText(JSON.stringify(frameOf(type, data, seq)));
  }

  /** Sends several `[type, data, seq?]` as one message, as `batch=1` allows. */
  sendBatch(...frames: [type: string, data: Json, seq?: number][]): void {
    this.sendText(JSON.stringify(frames.map((frame) => frameOf(...frame))));
  }

  sendText(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  /** Welcomes with the channels the client named, as a hub without history would. */
  welcome(data: Json = {}): void {
    const named = this.url.searchParams.get("channels")?.split(",");
    this.send("welcome", {
      session: "session-1",
      epoch: "epoch-1",
      seq: 0,
      channels: named ?? ["system_status", "storage_update", "notification", "heartbeat", "error"],
      heartbeat_ms: 10_000,
      recovered: false,
      gap: false,
      ...data,
    });
  }

  status(channel: string, value: unknown, seq?: number): void {
    const cached_at = Math.floor(Date.now() / 1000);
    this.send(channel, { data: value, is_stale: false, cached_at, age_ms: 0 }, seq);
  }

  async close(code = 1000, reason = ""): Promise<void> {
    if (this.#socket.readyState <= WebSocket.OPEN) this.#socket.close(code, reason);
    await this.ended;
  }
}

function frameOf(type: string, data: Json, seq?: number): Json {
  const timestamp = Math.floor(Date.now() / 1000);
  return { type, timestamp, ...(seq === undefined ? {} : { seq }), data };
}

/** Things that come and takers that wait, matched in order. */
class Waiting<T> {
  readonly #things: T[] = [];
  readonly #takers: ((thing: T) => void)[] = [];

  put(thing: T): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#things.push(thing);
    else taker(thing);
  }

  take(): Promise<T> {
    const thing = this.#things.shift();
    if (thing !== undefined) return Promise.resolve(thing);
    return new Promise((resolve) => this.#takers.push(resolve));
  }
}
