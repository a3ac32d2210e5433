import type { Chance } from "../support/seed.ts";
import { answer, type Mode } from "../support/rpc_backend_modes.ts";
import { readRequest } from "./rpc_request.ts";

/** What a storm does to calls, beside answering them well. */
const FAULTS: readonly Mode[] = [
  "hang",
  "reset",
  "drip",
  "garbage",
  "html",
  "huge_announced",
  "huge_chunked",
  "http_500",
  "http_429",
  "rpc_error",
  "truncated",
];

/** How a storm is for a while. */
type Weather =
  | { readonly kind: "calm" }
  /** Each call has its own fate. */
  | { readonly kind: "patchy"; readonly faultPercent: number }
  /** All calls share one fate. */
  | { readonly kind: "outage"; readonly mode: Mode }
  /** The port is closed. */
  | { readonly kind: "gone" };

/** A value that was given, and when. */
export interface Given {
  readonly method: string;
  /** Unix milliseconds, taken just before the answer was sent. */
  readonly at: number;
}

export interface StormBackendOptions {
  chance: Chance;
  /** Characters to make the values of a method larger by. */
  padding: Readonly<Record<string, number>>;
  /** Longest wait before a good answer, in milliseconds: slow, but within the hub's deadline. */
  slowMs: number;
}

/**
 * A backend over real TCP that fails at random once {@linkcode StormBackend.storm} has begun. Every
 * value it gives, `{method, n}`, has an `n` of its own, and it keeps book of when it gave it, so
 * that what clients hear can be held against what was really said.
 */
export class StormBackend implements AsyncDisposable {
  /** What was given, by `n`. */
  readonly given = new Map<number, Given>();
  /** Calls that were ill-treated, by the way. `refuse` counts the times the port was closed. */
  readonly faults = new Map<string, number>();
  readonly #options: StormBackendOptions;
  readonly #connections = new Set<Deno.Conn>();
  readonly #tasks = new Set<Promise<void>>();
  #listener: Deno.TcpListener | undefined;
  #port = 0;
  #n = 0;
  #weather: Weather = { kind: "calm" };
  #closed = new AbortController();

  constructor(options: StormBackendOptions) {
    this.#options = options;
    this.#open();
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/rpc`;
  }

  /** Faults so far. */
  get faultCount(): number {
    return [...this.faults.values()].reduce((sum, each) => sum + each, 0);
  }

  /** Changes the weather at random until aborted; then it is calm again. */
  async storm(signal: AbortSignal): Promise<void> {
    const { chance } = this.#options;
    try {
      while (!signal.aborted) {
        await this.#change(this.#next());
        await sleep(chance.between(300, 2500), signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await this.#change({ kind: "calm" });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  #next(): Weather {
    const { chance } = this.#options;
    const roll = chance.next();
    if (roll < 0.3) return { kind: "calm" };
    if (roll < 0.65) return { kind: "patchy", faultPercent: chance.between(20, 80) };
    if (roll < 0.85) return { kind: "outage", mode: chance.pick(FAULTS) };
    return { kind: "gone" };
  }

  async #change(weather: Weather): Promise<void> {
    this.#weather = weather;
    if (weather.kind === "gone") {
      this.#count("refuse");
      await this.#close();
    } else this.#open();
  }

  #open(): void {
    if (this.#listener !== undefined) return;
    this.#closed = new AbortController();
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: this.#port });
    this.#port = this.#listener.addr.port;
    this.#keep(this.#accept(this.#listener));
  }

  async #close(): Promise<void> {
    this.#listener?.close();
    this.#listener = undefined;
    this.#closed.abort();
    for (const connection of this.#connections) close(connection);
    await Promise.all(this.#tasks);
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
    const { signal } = this.#closed;
    const { chance, padding, slowMs } = this.#options;
    try {
      for (;;) {
        const request = await readRequest(connection);
        if (request === undefined) return;
        const { method } = request;
        const mode = this.#fate();
        const isSlow = mode === "ok" && this.#weather.kind !== "calm" && chance.percent(20);
        if (isSlow) {
          this.#count("slow");
          await sleep(chance.between(0, slowMs), signal);
        }
        const n = ++this.#n;
        if (mode === "ok") this.given.set(n, { method, at: Date.now() });
        else this.#count(mode);
        const value = { method, n, padding: "x".repeat(padding[method] ?? 0) };
        if (await answer(connection, mode, request, value, signal) === "close") return;
      }
    } catch {
      // The other side has gone, or the port was closed: either way this connection is over.
    } finally {
      this.#connections.delete(connection);
      close(connection);
    }
  }

  #fate(): Mode {
    const { chance } = this.#options;
    const weather = this.#weather;
    if (weather.kind === "outage") return weather.mode;
    if (weather.kind === "patchy" && chance.percent(weather.faultPercent)) {
      return chance.pick(FAULTS);
    }
    return "ok";
  }

  #count(fault: string): void {
    this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1);
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It was closed already.
  }
}

/** Waits; rejects with the signal's reason when that is aborted. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
