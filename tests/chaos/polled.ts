/** One call of the backend. */
export interface Poll {
  /** Which hub asked. */
  readonly hub: number;
  /** Unix milliseconds. */
  readonly at: number;
}

/**
 * A backend that keeps the books on who polls it: each hub has an address of its own there, and all
 * of them get values numbered in one row.
 */
export class Polled implements AsyncDisposable {
  readonly polls: Poll[] = [];
  /** When each value was given, in unix milliseconds. */
  readonly given = new Map<number, number>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#answer(request),
    );
  }

  /** Where hub number `hub` finds it. */
  url(hub: number): string {
    return `http://127.0.0.1:${this.#server.addr.port}/${hub}`;
  }

  /** The hubs that asked between two moments, in unix milliseconds. */
  pollersBetween(from: number, until: number): number[] {
    return [...new Set(this.polls.flatMap(({ hub, at }) => from <= at && at < until ? hub : []))];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const { id } = await request.json();
    const at = Date.now();
    this.polls.push({ hub: Number(new URL(request.url).pathname.slice(1)), at });
    const n = this.given.size + 1;
    this.given.set(n, at);
    return Response.json({ jsonrpc: "2.0", id, result: { n } });
  }
}
