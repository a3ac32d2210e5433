import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free_port.ts";
import { HubProcess } from "../support/hub_process.ts";
import type { RpcBackend } from "../support/rpc_backend.ts";
import type { Chance } from "../support/seed.ts";
import { type Heard, WsClient } from "../support/ws_client.ts";

const TOKEN = "a-token-that-may-publish";

/** The hub over its lives: the same port, the same folder, killed at random moments. */
export class Lives implements AsyncDisposable {
  readonly #dir: string;
  readonly #backend: RpcBackend;
  readonly #port = freePort();
  #hub: HubProcess | undefined;
  #isEnough = false;

  constructor(dir: string, backend: RpcBackend) {
    this.#dir = dir;
    this.#backend = backend;
  }

  get hub(): HubProcess {
    if (this.#hub === undefined) throw new Error("no hub runs");
    return this.#hub;
  }

  async start(): Promise<void> {
    this.#hub = await HubProcess.start({
      state: { dir: this.#dir },
      backends: {
        core: {
          transport: "json-rpc",
          url: this.#backend.url,
          timeout: "1s",
          retry: { attempts: 1 },
          breaker: { failures: 2, open_for: "1s" },
        },
      },
      sources: ["one", "two", "three"].map((channel) => ({
        channel,
        backend: "core",
        method: "Get",
        every: "40ms",
        stale_after: "1s",
      })),
      hub: { history_messages: 100_000, history_for: "1h" },
      auth: { tokens: [{ name: "test", token: TOKEN, publish: true }] },
    }, { port: this.#port });
  }

  async kill(): Promise<void> {
    await this.hub.stop("SIGKILL");
    await this.hub[Symbol.asyncDispose]();
    this.#hub = undefined;
  }

  /** No more is published, so that all who come can hear of all there is. */
  enough(): void {
    this.#isEnough = true;
  }

  /** Publishes until it is enough or the hub is gone; the numbers of what was accepted. */
  async publish(from: number, accepted: Map<number, number>): Promise<number> {
    const { url } = this.hub;
    for (let n = from;; n++) {
      if (this.#isEnough) return n;
      try {
        const response = await fetch(`${url}/publish`, {
          method: "POST",
          headers: { authorization: `Bearer ${TOKEN}` },
          body: JSON.stringify({ channel: "notification", data: { title: "event", n } }),
        });
        const { seq } = await response.json() as { seq: number };
        if (response.status === 202) accepted.set(n, seq);
      } catch {
        return n + 1; // it was killed meanwhile: whether it had this one nobody knows
      }
    }
  }

  client(query: Record<string, string>): Promise<WsClient> {
    return WsClient.connect(this.hub.ws({ token: TOKEN, ...query }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hub?.[Symbol.asyncDispose]();
  }
}

/** A client that comes back to each life, and all that it was told in all of them. */
export class Returner {
  readonly faults: string[] = [];
  /** Numbers of the events it got, in order. */
  readonly events = new Set<number>();
  #lastEvent = -1;
  readonly #name: string;
  readonly #said: Map<string, string>;
  readonly #values = new Map<string, number>();
  #session: string | undefined;
  #epoch = "";
  #since = 0;
  #lives = 0;
  #client: WsClient | undefined;
  #looked = 0;
  gaps = 0;

  /** @param said Every frame with a number that anybody was sent, as it was. */
  constructor(name: string, said: Map<string, string>) {
    this.#name = name;
    this.#said = said;
  }

  async come(lives: Lives): Promise<void> {
    this.#looked = 0;
    this.#lives += 1;
    const query = this.#session === undefined
      ? {}
      : { session: this.#session, epoch: this.#epoch, since: String(this.#since) };
    this.#client = await lives.client(query);
    this.look();
  }

  /** Takes in what came; the connection may be gone. */
  look(): void {
    const frames = this.#client?.frames ?? [];
    for (; this.#looked < frames.length; this.#looked++) {
      const frame = frames[this.#looked];
      if (frame) this.#take(frame);
    }
  }

  async leave(): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]();
    this.look();
  }

  /** Waits until it has this event. */
  async until(n: number): Promise<void> {
    await eventually(`${this.#name} has event ${n}`, () => {
      this.look();
      return this.events.has(n);
    });
  }

  #take({ type, seq, data }: Heard): void {
    if (type === "welcome") return this.#welcomed(data);
    if (seq !== undefined) {
      this.#once(
        `${this.#epoch} ${seq}`,
        `${type} ${JSON.stringify(isValue(data) ? data.data : data)}`,
      );
      this.#since = Math.max(this.#since, seq);
    }
    if (type === "notification") {
      if (data.n <= this.#lastEvent) this.#fault(`event ${data.n} after ${this.#lastEvent}`);
      this.#lastEvent = data.n;
      this.events.add(data.n);
    }
    if (isValue(data)) this.#valueCame(type, data as Status);
  }

  #welcomed({ session, epoch, recovered, gap, seq }: Heard["data"]): void {
    if (this.#session !== undefined) {
      if (epoch !== this.#epoch) this.#fault(`life ${this.#lives}: another epoch`);
      if (seq < this.#since) this.#fault(`life ${this.#lives}: at ${seq}, it had ${this.#since}`);
      if (!recovered || gap) {
        this.gaps += 1;
        this.#fault(`life ${this.#lives}: a gap, though nothing is missing`);
      }
    }
    this.#session = session;
    this.#epoch = epoch;
  }

  #valueCame(channel: string, { data: { n }, is_stale }: Status): void {
    const before = this.#values.get(channel) ?? 0;
    if (n < before) {
      this.#fault(
        `life ${this.#lives}: ${channel} went back from ${before} to ${n} (stale: ${is_stale})`,
      );
    }
    this.#values.set(channel, n);
  }

  /** No number is ever used twice, for whatever client and in whatever life. */
  #once(key: string, what: string): void {
    const before = this.#said.get(key);
    if (before !== undefined && before !== what) this.#fault(`${key} was ${before}, is ${what}`);
    this.#said.set(key, what);
  }

  #fault(what: string): void {
    this.faults.push(`${this.#name}: ${what}`);
  }
}

interface Status {
  readonly data: { readonly n: number };
  readonly is_stale: boolean;
}

function isValue(data: unknown): data is Status {
  return typeof data === "object" && data !== null && "is_stale" in data;
}

/** A while that ends at a random moment. */
export function randomWhile(chance: Chance): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, chance.between(5, 400)));
}
