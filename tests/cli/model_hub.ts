type Json = Record<string, unknown>;

/** A frame on its way out. */
export interface Outgoing {
  readonly type: string;
  timestamp: number;
  seq?: number;
  data: Json;
}

/** How a hub departs from the protocol; by default it does not. */
export interface Lies {
  /** Changes a frame, adds others, or (with an empty list) keeps it back. */
  tamper?: (frame: Outgoing, connection: Connection) => Outgoing | Outgoing[];
  /** Deals with a client's text itself, by returning true. */
  hear?: (text: string, connection: Connection) => boolean;
  /** Changes the body of a path's answer; a `Response` is the whole answer. */
  answer?: (path: string, body: Json, request: Request) => Json | Response;
  /** Milliseconds from value to value. Default 150. */
  statusEveryMs?: number;
  /** Milliseconds from beat to beat. Default: as promised. */
  heartbeatEveryMs?: number;
}

/** What the welcome promises, in milliseconds. */
const HEARTBEAT_MS = 400;
const CHANNEL = "system_status";

/** One client of a {@linkcode ModelHub}. */
export class Connection {
  readonly query: URLSearchParams;
  readonly socket: WebSocket;
  readonly subscribed = new Set([CHANNEL, "notification", "heartbeat", "error"]);
  bad = 0;
  readonly #lies: Lies;

  constructor(socket: WebSocket, query: URLSearchParams, lies: Lies) {
    this.socket = socket;
    this.query = query;
    this.#lies = lies;
  }

  /** Sends a frame, after what the lies make of it. */
  send(frame: Outgoing): void {
    const told = this.#lies.tamper?.(structuredClone(frame), this) ?? frame;
    for (const each of Array.isArray(told) ? told : [told]) {
      if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(each));
    }
  }
}

/**
 * The smallest hub that keeps the protocol, for tests of what finds out hubs that do not: one
 * status channel, heartbeats, an event now and then, and {@linkcode Lies} on demand.
 */
export class ModelHub implements AsyncDisposable {
  readonly #lies: Lies;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #connections = new Set<Connection>();
  readonly #timers: ReturnType<typeof setInterval>[];
  readonly #events: Outgoing[] = [];
  #seq = 0;
  #n = 0;
  #valueAt = Date.now();

  constructor(lies: Lies = {}) {
    this.#lies = lies;
    const { statusEveryMs = 150, heartbeatEveryMs = HEARTBEAT_MS } = lies;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#answer(request),
    );
    this.#timers = [
      setInterval(() => this.#newValue(), statusEveryMs),
      setInterval(() => {
        const data = { timestamp: now(), clients_connected: this.#connections.size };
        this.#broadcast("heartbeat", data);
      }, heartbeatEveryMs),
      setInterval(() => this.#broadcast("notification", { title: "now and then" }), 500),
    ];
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    for (const { socket } of this.#connections) if (socket.readyState <= 1) socket.close();
    await this.#server.shutdown();
  }

  #newValue(): void {
    this.#n += 1;
    this.#valueAt = Date.now();
    this.#broadcast(CHANNEL, this.#status());
  }

  #status(): Json {
    return {
      data: { n: this.#n },
      is_stale: false,
      cached_at: Math.floor(this.#valueAt / 1000),
      age_ms: Date.now() - this.#valueAt,
    };
  }

  #broadcast(type: string, data: Json): void {
    const frame = { type, timestamp: now(), seq: ++this.#seq, data };
    if (type === "notification") this.#events.push(frame);
    for (const connection of this.#connections) {
      if (connection.subscribed.has(type)) connection.send(frame);
    }
  }

  #answer(request: Request): Response {
    const url = new URL(request.url);
    const { pathname } = url;
    if (pathname === "/ws") {
      return request.headers.get("upgrade") === "websocket"
        ? this.#open(request, url.searchParams)
        : new Response(null, { status: 426 });
    }
    const bodies: Record<string, Json> = {
      "/healthz": { status: "ok" },
      "/readyz": { ready: true },
      "/snapshot": { [CHANNEL]: this.#status() },
      "/status": {
        version: "0.0.0-model",
        uptime_seconds: 1,
        total_clients: this.#connections.size,
        error_count: 0,
        slow_client_drops: 0,
        read_errors: 0,
        write_errors: 0,
        errors_by_code: {},
        backends: {
          core: { state: "closed", consecutive_failures: 0, retry_after_ms: 0, last_error: null },
        },
        sources: {
          [CHANNEL]: {
            last_success: Math.floor(this.#valueAt / 1000),
            last_error: null,
            is_stale: false,
            age_ms: Date.now() - this.#valueAt,
          },
        },
      },
    };
    const body = bodies[pathname];
    if (body === undefined) return new Response(null, { status: 404 });
    const told = this.#lies.answer?.(pathname, body, request) ?? body;
    return told instanceof Response ? told : Response.json(told);
  }

  #open(request: Request, query: URLSearchParams): Response {
    const isNamed = request.headers.get("sec-websocket-protocol")?.includes("holdfast");
    const { socket, response } = Deno.upgradeWebSocket(
      request,
      isNamed ? { protocol: "holdfast" } : {},
    );
    const connection = new Connection(socket, query, this.#lies);
    socket.onopen = () => {
      this.#connections.add(connection);
      this.#welcome(connection);
    };
    socket.onmessage = ({ data }) => this.#hear(String(data), connection);
    socket.onerror = () => {};
    socket.onclose = () => this.#connections.delete(connection);
    return response;
  }

  #welcome(connection: Connection): void {
    const { query } = connection;
    const resumes = query.has("epoch");
    const recovered = query.get("epoch") === "epoch-1";
    connection.send({
      type: "welcome",
      timestamp: now(),
      data: {
        session: "session-1",
        epoch: "epoch-1",
        seq: this.#seq,
        channels: [...connection.subscribed],
        heartbeat_ms: HEARTBEAT_MS,
        recovered,
        gap: resumes && !recovered,
      },
    });
    const since = Number(query.get("since"));
    if (recovered) {
      for (const event of this.#events) if ((event.seq ?? 0) > since) connection.send(event);
    }
    connection.send({ type: CHANNEL, timestamp: now(), data: this.#status() });
  }

  #hear(text: string, connection: Connection): void {
    if (this.#lies.hear?.(text, connection)) return;
    if (text.length > 65_536) return connection.socket.close(1009, "message too big");
    const message = parse(text);
    const { type, id, channels = [] } = message as {
      type?: string;
      id?: unknown;
      channels?: string[];
    };
    switch (type) {
      case "ping":
        connection.send({ type: "pong", timestamp: now(), data: id === undefined ? {} : { id } });
        return;
      case "subscribe":
      case "unsubscribe":
        this.#change(connection, type, channels);
        return;
      default:
        connection.bad += 1;
        this.#complain(connection, "BAD_MESSAGE");
        if (connection.bad >= 20) connection.socket.close(1008, "too many bad messages");
    }
  }

  #change(connection: Connection, type: string, channels: string[]): void {
    const { subscribed } = connection;
    for (const channel of channels) {
      if (type === "unsubscribe") subscribed.delete(channel);
      else if (channel === CHANNEL) subscribed.add(channel);
      else this.#complain(connection, "UNKNOWN_CHANNEL");
    }
    connection.send({ type: "subscribed", timestamp: now(), data: { channels: [...subscribed] } });
    if (type === "subscribe" && channels.includes(CHANNEL)) {
      connection.send({ type: CHANNEL, timestamp: now(), data: this.#status() });
    }
  }

  #complain(connection: Connection, code: string): void {
    const data = { code, message: "no", timestamp: now(), component: "hub", severity: "warning" };
    connection.send({ type: "error", timestamp: now(), data });
  }
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
