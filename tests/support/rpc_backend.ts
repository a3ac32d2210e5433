import { answer, type Mode, type Request } from "./rpc_backend_modes.ts";

export type { Mode } from "./rpc_backend_modes.ts";

const decoder = new TextDecoder();

/** Bytes read at a time while looking for the end of a request's head: fewer than any body has. */
const HEAD_CHUNK = 32;

/**
 * A real JSON-RPC backend over HTTP on a port of the system's choice, written on bare TCP so that
 * it can misbehave in every way a test needs. Values are `{method, n}`, where `n` grows with every
 * value given, so that a test can tell a fresh one from an old one.
 *
 * @example
 * ```ts
 * await using backend = new RpcBackend();
 * backend.set("GetSystemStatus", "hang");
 * await backend.stop(); // connections are refused now
 * backend.start();
 * ```
 */
export class RpcBackend implements AsyncDisposable {
  readonly #modes = new Map<string, Mode>();
  readonly #calls = new Map<string, number>();
  readonly #padding = new Map<string, string>();
  readonly #connections = new Set<Deno.Conn>();
  readonly #tasks = new Set<Promise<void>>();
  #defaultMode: Mode = "ok";
  #listener: Deno.TcpListener | undefined;
  #port = 0;
  #given = 0;
  #stop = new AbortController();

  constructor() {
    this.start();
  }

  /** Where a hub finds it; the same after a restart. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}/rpc`;
  }

  /** The newest `n` given; 0 before the first. */
  get given(): number {
    return this.#given;
  }

  /** Calls of one method, or of all, that reached the backend. */
  calls(method?: string): number {
    if (method !== undefined) return this.#calls.get(method) ?? 0;
    return [...this.#calls.values()].reduce((sum, each) => sum + each, 0);
  }

  /** How one method is answered from its next call on. */
  set(method: string, mode: Mode): void {
    this.#modes.set(method, mode);
  }

  /** How every method is answered from its next call on. */
  setAll(mode: Mode): void {
    this.#modes.clear();
    this.#defaultMode = mode;
  }

  /** Makes values of a method this many characters larger. */
  pad(method: string, characters: number): void {
    this.#padding.set(method, "x".repeat(characters));
  }

  /** Listens, after {@linkcode RpcBackend.stop} on the same port again. */
  start(): void {
    if (this.#listener !== undefined) return;
    this.#stop = new AbortController();
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: this.#port });
    this.#port = this.#listener.addr.port;
    this.#keep(this.#accept(this.#listener));
  }

  /** Closes the port and every connection: from now on connections are refused. */
  async stop(): Promise<void> {
    this.#listener?.close();
    this.#listener = undefined;
    this.#stop.abort();
    for (const connection of this.#connections) close(connection);
    await Promise.all(this.#tasks);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #keep(task: Promise<void>): void {
    const kept = task.finally(() => this.#tasks.delete(kept));
    this.#tasks.add(kept);
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    try {
      for await (const connection of listener) {
        this.#connections.add(connection);
        this.#keep(this.#serve(connection));
      }
    } catch {
      // Closed while somebody was on the way in.
    }
  }

  async #serve(connection: Deno.Conn): Promise<void> {
    const { signal } = this.#stop;
    try {
      for (;;) {
        const request = await readRequest(connection);
        if (request === undefined) return;
        const { method } = request;
        this.#calls.set(method, this.calls(method) + 1);
        const mode = this.#modes.get(method) ?? this.#defaultMode;
        if (mode === "ok") this.#given += 1;
        const value = { method, n: this.#given, padding: this.#padding.get(method) };
        if (await answer(connection, mode, request, value, signal) === "close") return;
      }
    } catch {
      // The other side has gone, or the backend was stopped: either way this connection is over.
    } finally {
      this.#connections.delete(connection);
      close(connection);
    }
  }
}

/**
 * Reads a request all but its last byte, so that closing the connection without reading that makes
 * the kernel send a reset; `undefined` at the end of the connection.
 */
async function readRequest(connection: Deno.Conn): Promise<Request | undefined> {
  let head = "";
  const chunk = new Uint8Array(HEAD_CHUNK);
  while (!head.includes("\r\n\r\n")) {
    const count = await connection.read(chunk);
    if (count === null) return undefined;
    head += decoder.decode(chunk.subarray(0, count));
  }
  const [headers = "", begun = ""] = head.split("\r\n\r\n", 2);
  const length = Number(/^content-length: *(\d+)/im.exec(headers)?.[1] ?? 0);
  const body = begun + await readText(connection, length - 1 - begun.length);
  const id = Number(/"id":(\d+)/.exec(body)?.[1]);
  const method = /"method":"([^"]+)"/.exec(body)?.[1] ?? "";
  return { id, method, readLast: () => readText(connection, 1) };
}

async function readText(connection: Deno.Conn, length: number): Promise<string> {
  const bytes = new Uint8Array(Math.max(0, length));
  for (let at = 0; at < bytes.length;) {
    const count = await connection.read(bytes.subarray(at));
    if (count === null) throw new Error("the request broke off");
    at += count;
  }
  return decoder.decode(bytes);
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It was closed already.
  }
}
