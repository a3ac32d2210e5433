// deno-lint-ignore-file no-console -- a script speaks to its caller
/**
 * How long clients are without the hub when it is restarted, and what they are told: so many clients,
 * a backend that is dead, a state folder; once in order (SIGTERM, as `systemctl restart` does) and
 * once by `kill -9`.
 *
 * `deno run --allow-all scripts/measure_restart.ts [--clients N]`
 */
import { parseArgs } from "node:util";
import { freePort } from "../tests/support/free_port.ts";
import { HubProcess } from "../tests/support/hub_process.ts";
import { RpcBackend } from "../tests/support/rpc_backend.ts";

const MAX_CLIENTS = 10_000;
/** Connected at one time at the beginning; more would meet the bounds of the accept queue. */
const AT_ONCE = 50;
/** A client that was told nothing comes back within this long, in milliseconds. */
const UNTOLD_WITHIN_MS = 1000;
/** Between two attempts of one client, in milliseconds, with jitter. */
const RETRY_MS = 500;

const { values } = parseArgs({
  args: Deno.args,
  options: { clients: { type: "string", default: "5000" } },
});
const wanted = Number(values.clients);
if (!Number.isInteger(wanted) || wanted < 1 || wanted > MAX_CLIENTS) {
  console.error(`--clients must be a whole number from 1 to ${MAX_CLIENTS}`);
  Deno.exit(2);
}

/** One client: it goes away with the hub and comes back as it was told. */
class Client {
  #session = "";
  #epoch = "";
  #since = 0;
  #toldMs: number | undefined;
  #lostAt = 0;
  #socket: WebSocket | undefined;
  /** Milliseconds without the hub; undefined while it is not back. */
  absentMs: number | undefined;
  welcome: { recovered: boolean; gap: boolean } | undefined;
  wasStale = false;
  isOver = false;

  constructor(readonly url: string) {}

  connect(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const query = this.#session === ""
      ? ""
      : `?session=${this.#session}&epoch=${this.#epoch}&since=${this.#since}`;
    const socket = new WebSocket(`${this.url}${query}`);
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const { type, seq, data: told } = JSON.parse(data);
      if (seq !== undefined) this.#since = Math.max(this.#since, seq);
      if (type === "status") this.wasStale = told.is_stale;
      if (told.code === "SERVER_SHUTDOWN") this.#toldMs = told.data.reconnect_after_ms;
      if (type !== "welcome") return;
      this.#session = told.session;
      this.#epoch = told.epoch;
      this.welcome = told;
      if (this.#lostAt > 0) this.absentMs = performance.now() - this.#lostAt;
      resolve();
    };
    socket.onerror = () => {};
    socket.onclose = () => {
      if (this.isOver) return;
      if (this.absentMs !== undefined || this.#lostAt === 0) {
        this.#lostAt = performance.now();
        this.absentMs = undefined;
        this.welcome = undefined;
      }
      const waitMs = this.#toldMs ?? Math.random() * UNTOLD_WITHIN_MS;
      this.#toldMs = RETRY_MS * (0.5 + Math.random());
      setTimeout(() => void this.connect(), waitMs);
    };
    return promise;
  }

  /** Nothing was told of the next end, and nothing measured. */
  settle(): void {
    this.#toldMs = undefined;
    this.#lostAt = 0;
    this.absentMs = undefined;
  }

  close(): void {
    this.isOver = true;
    this.#socket?.close();
  }
}

await using backend = new RpcBackend();
const dir = await Deno.makeTempDir({ prefix: "holdfast-measure-" });
const port = freePort();
const start = () =>
  HubProcess.start({
    state: { dir },
    backends: { core: { transport: "json-rpc", url: backend.url, breaker: { failures: 2 } } },
    sources: [{ channel: "status", backend: "core", method: "Get", every: "1s" }],
    hub: { history_messages: 10_000 },
  }, { port });

let hub = await start();
const clients = Array.from({ length: wanted }, () => new Client(hub.ws()));
for (let at = 0; at < wanted; at += AT_ONCE) {
  await Promise.all(clients.slice(at, at + AT_ONCE).map((client) => client.connect()));
}
console.log(`${wanted} clients, Deno ${Deno.version.deno}`);
await backend.stop();
await sleep(3000);
for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  for (const client of clients) client.settle();
  const askedAt = performance.now();
  const ended = hub.stop(signal);
  await ended;
  const stoppedMs = performance.now() - askedAt;
  await hub[Symbol.asyncDispose]();
  hub = await start();
  const offMs = performance.now() - askedAt;
  while (clients.some(({ absentMs }) => absentMs === undefined)) await sleep(50);
  await sleep(3000);
  const absent = clients.map(({ absentMs = NaN }) => absentMs).sort((a, b) => a - b);
  const at = (share: number) => Math.round(absent[Math.floor((absent.length - 1) * share)] ?? NaN);
  const recovered = clients.filter(({ welcome }) => welcome?.recovered && !welcome.gap).length;
  const stale = clients.filter(({ wasStale }) => wasStale).length;
  console.log(
    `${signal}: stopped after ${Math.round(stoppedMs)} ms, listening again after ` +
      `${Math.round(offMs)} ms; without the hub: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ` +
      `longest ${at(1)} ms; recovered without a gap: ${recovered} of ${wanted}; ` +
      `last value shown as stale: ${stale}`,
  );
}
for (const client of clients) client.close();
await hub.stop();
await hub[Symbol.asyncDispose]();
await Deno.remove(dir, { recursive: true });

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
