// @ts-types="../../src/std_types/delay.d.ts"
import { delay } from "@std/async/delay";
import { freePort } from "./free_port.ts";

const HOSTNAME = "127.0.0.1";

/** Bytes of one direction of one connection that may be under way; its sender waits with the rest. */
const UNDER_WAY_BYTES = 4 * 1024 * 1024;

const READ_BYTES = 65_536;

/** One of the two ways through a proxy. */
export type Way = "to the server" | "from the server";

export interface TcpProxyOptions {
  /** How long every byte is under way, each way, in milliseconds. Default: 0. */
  latencyMs?: number;
}

/**
 * A TCP relay on the loopback in front of a server, as a network that a test can spoil: `cut` loses
 * nothing but lets nothing through, `reset` refuses, `heal` makes good both.
 *
 * @example
 * ```ts
 * await using network = new TcpProxy(nats.url);
 * const connection = await connect({ servers: network.url });
 * network.cut();
 * network.heal();
 * ```
 */
export class TcpProxy implements AsyncDisposable {
  /** How long every byte is under way, each way, in milliseconds; it may be changed at any time. */
  latencyMs: number;
  readonly #target: URL;
  readonly #port = freePort();
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #ended = new AbortController();
  #listener: Deno.TcpListener | undefined;
  #accepting = Promise.resolve();
  /** Resolves when what is cut heals. */
  #healing: PromiseWithResolvers<void> | undefined;

  /** Relays to the host and port of `target`, whatever its scheme. */
  constructor(target: string, options: TcpProxyOptions = {}) {
    this.#target = new URL(target);
    this.latencyMs = options.latencyMs ?? 0;
    this.#listen();
  }

  /** The target's address with the proxy in its place. */
  get url(): string {
    const url = new URL(this.#target);
    url.hostname = HOSTNAME;
    url.port = String(this.#port);
    return url.href;
  }

  /** Whether clients are connected at this moment. */
  get isUsed(): boolean {
    return this.#connections.size > 0;
  }

  /** What is swallowed: both ways, or one of the two. */
  #cutWay: Way | undefined;

  /**
   * From now on the network swallows everything, or one of the two ways: connections stay open and nothing comes, not even
   * their end; new ones open and hear nothing. What was sent meanwhile arrives after `heal`, as TCP
   * sends it again.
   */
  cut(way: Way | "both" = "both"): void {
    this.#cutWay = way === "both" ? undefined : way;
    this.#healing ??= Promise.withResolvers();
  }

  /** Ends all connections, and from now on refuses new ones. */
  async reset(): Promise<void> {
    this.#listener?.close();
    this.#listener = undefined;
    for (const connection of this.#connections) this.#drop(connection);
    // Only then is the port free to be listened on again.
    await this.#accepting;
  }

  /** Everything is let through again. */
  heal(): void {
    this.#mend();
    if (this.#listener === undefined) this.#listen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.reset();
    this.#ended.abort();
    this.#mend();
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }

  #mend(): void {
    this.#healing?.resolve();
    this.#healing = undefined;
  }

  #listen(): void {
    const listener = Deno.listen({ hostname: HOSTNAME, port: this.#port });
    this.#listener = listener;
    this.#accepting = this.#accept(listener);
  }

  /** Waits with the others at the end; what fails has been closed or was reset by somebody. */
  #keep(task: Promise<void>): void {
    const kept = task.catch(() => {}).finally(() => this.#tasks.delete(kept));
    this.#tasks.add(kept);
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    for await (const client of listener) {
      this.#connections.add(client);
      if (this.#listener === listener) this.#keep(this.#relay(client));
      else this.#drop(client); // it came just as this was reset
    }
  }

  async #relay(client: Deno.TcpConn): Promise<void> {
    try {
      await this.#healing?.promise;
      const { hostname, port } = this.#target;
      const server = await Deno.connect({ hostname, port: Number(port) });
      this.#connections.add(server);
      try {
        // The client may have been dropped while this connected.
        if (!this.#connections.has(client)) return;
        await Promise.all([
          this.#pump(client, server, "to the server"),
          this.#pump(server, client, "from the server"),
        ]);
      } finally {
        this.#drop(server);
      }
    } finally {
      this.#drop(client);
    }
  }

  /** Carries one direction to its end; with an error it ends the other one too. */
  async #pump(from: Deno.TcpConn, to: Deno.TcpConn, way: Way): Promise<void> {
    try {
      await this.#carry(from, to, way);
    } catch (error) {
      this.#drop(from);
      this.#drop(to);
      throw error;
    }
  }

  async #carry(from: Deno.TcpConn, to: Deno.TcpConn, way: Way): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    let underWayBytes = 0;
    let arrival = Promise.resolve();
    for (;;) {
      const count = await from.read(buffer);
      const bytes = buffer.slice(0, count ?? 0);
      const dueAt = performance.now() + this.latencyMs;
      underWayBytes += bytes.length;
      arrival = arrival.then(async () => {
        await this.#travel(dueAt, way);
        if (count === null) await to.closeWrite();
        else await writeAll(to, bytes);
        underWayBytes -= bytes.length;
      });
      if (count === null || underWayBytes > UNDER_WAY_BYTES) await arrival;
      // Its failure is met by the next one in the chain, or by the wait above.
      else arrival.catch(() => this.#drop(from));
      if (count === null) return;
    }
  }

  async #travel(dueAt: number, way: Way): Promise<void> {
    const leftMs = dueAt - performance.now();
    if (leftMs > 0) await delay(leftMs, { signal: this.#ended.signal });
    while (this.#healing && (this.#cutWay ?? way) === way) await this.#healing.promise;
  }

  #drop(connection: Deno.TcpConn): void {
    this.#connections.delete(connection);
    try {
      connection.close();
    } catch {
      // It is closed already.
    }
  }
}

async function writeAll(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}
