// deno-lint-ignore-file no-console -- a script speaks to its caller
/**
 * What `delta=1` saves and costs. Bytes: listens to the demo and to the embedded default (`host`)
 * with and without it, side by side, and checks that both say the same. CPU: the demo's four
 * channels at a quicker pace to many clients with `batch=1`, and with `batch=1&delta=1`, in turns.
 *
 * `deno run --allow-all scripts/measure_delta.ts [--seconds N] [--clients N] [--rounds N]`
 */
import { parseArgs } from "node:util";
import { applyPatch } from "../src/protocol/apply_patch.ts";
import { encodeStanding, json } from "../src/protocol/codec.ts";
import { RevisedValue, RevisionPatch } from "../src/protocol/revised_value.ts";
import { freePort } from "../tests/support/free_port.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    seconds: { type: "string", default: "60" },
    clients: { type: "string", default: "500" },
    rounds: { type: "string", default: "5" },
    // Of the script's own: so many clients of this address, which read and do nothing else.
    crowd: { type: "string" },
  },
});
const [seconds = 0, clients = 0, rounds = 0] = [values.seconds, values.clients, values.rounds]
  .map(Number);
if (![seconds, clients, rounds].every((each) => Number.isInteger(each) && each >= 1)) {
  console.error("--seconds, --clients and --rounds must be whole numbers of 1 or more");
  Deno.exit(2);
}

if (values.crowd !== undefined) {
  for (let nth = 0; nth < clients; nth++) {
    const socket = new WebSocket(values.crowd);
    await new Promise((resolve) => socket.onopen = resolve);
  }
  await new Promise(() => setInterval(() => {}, 60_000));
}

const MAIN = new URL("../main.ts", import.meta.url).pathname;
const SELF = new URL(import.meta.url).pathname;
/** Clock ticks a second in `/proc/PID/stat`, on every Linux there is. */
const TICKS_PER_SECOND = 100;
const SOURCES = {
  system_status: "GetSystemStatus",
  storage_update: "GetStorage",
  agent_status: "GetAgents",
  compression_update: "GetCompressionJobs",
};

console.log(`Deno ${Deno.version.deno}, ${seconds} s of listening`);
measureFew();
await measureBytes("demo", ["demo"]);
await measureBytes("host", ["serve"]);
await measureCpu();

/** What the format allows: a value of a hundred numbers, of which three change. */
function measureFew(): void {
  const numbers = Object.fromEntries(
    Array.from({ length: 100 }, (_, at) => [`queue_${at}_waiting`, 1000 + at]),
  );
  const changed = { ...numbers, queue_7_waiting: 1, queue_50_waiting: 2, queue_99_waiting: 3 };
  const [before, after] = [json(numbers), json(changed)];
  const standing = encodeStanding({ is_stale: false, cached_at: 1764000000, age_ms: 3 });
  const frame = new RevisedValue({
    channel: "system_status",
    slot: 0,
    revision: 2,
    value: after,
    standing,
    timestamp: 1764000000,
    seq: 1,
    patch: new RevisionPatch(1, before, after),
  });
  const [less, whole] = [frame.text(frame.formFor(1)), frame.text(frame.formFor(0))];
  const ratio = (less.length / whole.length).toFixed(3);
  console.log(`\nthree of a hundred numbers: ${less.length} of ${whole.length} bytes, ${ratio}`);
}

/** A process of the program, killed when disposed of. */
function start(args: readonly string[]): { pid: number } & AsyncDisposable {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", ...args],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

async function untilUp(url: string): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const isUp = await fetch(url, { method: "POST" }).then(async ({ body }) => {
      await body?.cancel();
      return true;
    }, () => false);
    if (isUp) return;
    await sleep(100);
  }
  throw new Error(`nothing answers at ${url}`);
}

interface Traffic {
  /** By channel: updates after the first, and their bytes. */
  readonly bytes: Map<string, { updates: number; bytes: number }>;
  /** By channel and number: the value, put together. */
  readonly told: Map<string, string>;
}

/** Listens to a hub; what came, frame by frame. */
function listen(url: string): { traffic: Traffic; close: () => void } {
  const traffic: Traffic = { bytes: new Map(), told: new Map() };
  const had = new Map<string, unknown>();
  const socket = new WebSocket(url);
  socket.onmessage = ({ data: message }) => {
    const { type, seq, data } = JSON.parse(message);
    if (!(type in SOURCES) || seq === undefined) {
      if (type in SOURCES) had.set(type, data.data);
      return;
    }
    const value = data.same
      ? had.get(type)
      : data.patch
      ? applyPatch(had.get(type), data.patch)
      : data.data;
    had.set(type, value);
    traffic.told.set(`${type} ${seq}`, JSON.stringify(value));
    const count = traffic.bytes.get(type) ?? { updates: 0, bytes: 0 };
    count.updates += 1;
    count.bytes += new TextEncoder().encode(message).length;
    traffic.bytes.set(type, count);
  };
  return { traffic, close: () => socket.close() };
}

async function measureBytes(name: string, args: readonly string[]): Promise<void> {
  const port = freePort();
  await using _hub = start([MAIN, ...args, "--listen", `127.0.0.1:${port}`]);
  await untilUp(`http://127.0.0.1:${port}/healthz`);
  const plain = listen(`ws://127.0.0.1:${port}/ws`);
  const delta = listen(`ws://127.0.0.1:${port}/ws?delta=1`);
  await sleep(seconds * 1000);
  plain.close();
  delta.close();
  console.log(`\n${name}: bytes an update, frames and all`);
  const sums = { plain: 0, delta: 0 };
  for (const [channel, { updates, bytes }] of plain.traffic.bytes) {
    const changed = delta.traffic.bytes.get(channel) ?? { updates: 0, bytes: NaN };
    const [whole, less] = [bytes / updates, changed.bytes / changed.updates];
    sums.plain += bytes;
    sums.delta += changed.bytes;
    const row = [whole.toFixed(0), less.toFixed(0), (less / whole).toFixed(3)];
    console.log(
      `  ${channel.padEnd(20)} ${row.map((each) => each.padStart(8)).join("")}  (${updates})`,
    );
  }
  console.log(`  all of them: ${(sums.delta / sums.plain).toFixed(3)} of plain`);
  let checked = 0;
  for (const [place, value] of delta.traffic.told) {
    const wanted = plain.traffic.told.get(place);
    if (wanted === undefined) continue;
    if (wanted !== value) throw new Error(`${place}: ${value} instead of ${wanted}`);
    checked += 1;
  }
  console.log(`  the same JSON in ${checked} updates`);
}

async function measureCpu(): Promise<void> {
  const [port, backendPort] = [freePort(), freePort()];
  const folder = await Deno.makeTempDir({ prefix: "holdfast-measure-" });
  try {
    await using _backend = start([MAIN, "backend", "--listen", `127.0.0.1:${backendPort}`]);
    await untilUp(`http://127.0.0.1:${backendPort}/rpc`);
    const config = `${folder}/config.json`;
    const sources = Object.entries(SOURCES)
      .map(([channel, method]) => ({ channel, method, backend: "core", every: "250ms" }));
    const url = `http://127.0.0.1:${backendPort}/rpc`;
    await Deno.writeTextFile(
      config,
      JSON.stringify({
        listen: `127.0.0.1:${port}`,
        backends: { core: { transport: "json-rpc", url } },
        sources,
        log: { level: "warning" },
      }),
    );
    await using hub = start([
      "--v8-flags=--max-semi-space-size=8",
      MAIN,
      "serve",
      "--config",
      config,
    ]);
    await untilUp(`http://127.0.0.1:${port}/healthz`);
    console.log(`\nCPU a delivery, ${clients} clients, four channels every 250 ms`);
    const costs: Record<string, number[]> = { "batch=1": [], "batch=1&delta=1": [] };
    for (let round = 0; round < rounds; round++) {
      for (const [query, list] of Object.entries(costs)) {
        list.push(await costOf(hub.pid, port, query));
      }
    }
    for (const [query, list] of Object.entries(costs)) {
      const shown = list.map((each) => each.toFixed(2)).join(" ");
      console.log(`  ${query.padEnd(16)} ${median(list).toFixed(2)} us (${shown})`);
    }
    const ratio = median(costs["batch=1&delta=1"] ?? []) / median(costs["batch=1"] ?? []);
    console.log(`  ${ratio.toFixed(2)} of batch=1 alone`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The hub's processor time a frame delivered, in microseconds. */
async function costOf(pid: number, port: number, query: string): Promise<number> {
  const url = `ws://127.0.0.1:${port}/ws?${query}&channels=${Object.keys(SOURCES).join(",")}`;
  await using _crowd = start([SELF, "--crowd", url, "--clients", String(clients)]);
  await sleep(4000); // all of them are there, and the handshakes are over
  const before = { cpu: cpuSeconds(pid), frames: await framesSent(port) };
  await sleep(10_000);
  const cpu = cpuSeconds(pid) - before.cpu;
  return cpu * 1e6 / (await framesSent(port) - before.frames);
}

function cpuSeconds(pid: number): number {
  const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

async function framesSent(port: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line.startsWith("holdfast_frames_sent_total{"));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
