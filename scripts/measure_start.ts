// deno-lint-ignore-file no-console -- a script speaks to its caller
/**
 * Measures how long a hub takes from the start of its process until a client has a first value, and
 * how large the executable is. The client connects as soon as the hub says where it listens.
 *
 *   deno run --allow-read --allow-run --allow-net scripts/measure_start.ts [EXECUTABLE] [RUNS]
 */

/** One start that takes longer failed, in milliseconds. */
const START_MS = 20_000;

/** How long a start took. */
export interface Start {
  /** Milliseconds until the hub listened. */
  readonly listeningMs: number;
  /** Milliseconds until the client had a value. */
  readonly firstValueMs: number;
}

/**
 * Starts a hub once and ends it again.
 *
 * @param command What runs the hub, `serve` included.
 */
export async function measureStart([program = "", ...args]: readonly string[]): Promise<Start> {
  const begun = performance.now();
  const hub = new Deno.Command(program, {
    args: [...args, "--listen", "127.0.0.1:0", "--log-format", "json", "--log-level", "info"],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    signal: AbortSignal.timeout(START_MS),
  }).spawn();
  const lines = hub.stderr.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  try {
    const url = await listening(lines);
    const listeningMs = performance.now() - begun;
    await firstValue(url);
    return { listeningMs, firstValueMs: performance.now() - begun };
  } finally {
    hub.kill("SIGTERM");
    while (!(await lines.next()).done); // else a full pipe could keep it from ending
    await hub.status;
  }
}

/** The URL in the hub's log line `server.listening`. */
async function listening(lines: AsyncIterator<string>): Promise<string> {
  let text = "";
  for (let next = await lines.next(); !next.done; next = await lines.next()) {
    text += next.value;
    const [, url] = /"event":"server\.listening".*?"url":"([^"]+)"/.exec(text) ?? [];
    if (url !== undefined) return url;
  }
  throw new Error(`the hub did not start: ${text}`);
}

/** Resolves with the first status frame of a client that listens to everything. */
async function firstValue(url: string): Promise<void> {
  const socket = new WebSocket(new URL("/ws", url.replace(/^http/, "ws")));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.onmessage = ({ data }) => {
    const { type } = JSON.parse(data);
    if (type === "system_status" || type === "storage_update") resolve();
  };
  socket.onerror = () => reject(new Error(`no connection to ${url}`));
  const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>();
  socket.onclose = () => onClosed();
  try {
    await promise;
  } finally {
    socket.close();
    await closed;
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

async function main([executable = "dist/holdfast", runs = "10"]: readonly string[]) {
  const count = Number(runs);
  if (!Number.isInteger(count) || count < 1) {
    throw new RangeError(`RUNS must be a positive integer: it is "${runs}"`);
  }
  const path = await Deno.realPath(executable);
  const { size } = await Deno.stat(path);
  const command = [path, "serve"];
  await measureStart(command); // brings the file into memory
  const starts: Start[] = [];
  for (let run = 0; run < count; run++) starts.push(await measureStart(command));
  const firsts = starts.map(({ firstValueMs }) => firstValueMs);
  console.log(`${executable}: ${(size / 1e6).toFixed(1)} MB, ${count} starts`);
  const listeningMs = median(starts.map((start) => start.listeningMs));
  console.log(`listening after ${listeningMs.toFixed(0)} ms (median)`);
  console.log(
    `first value at a client after ${median(firsts).toFixed(0)} ms (median), ` +
      `${Math.min(...firsts).toFixed(0)} to ${Math.max(...firsts).toFixed(0)} ms`,
  );
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    console.error(`measure_start: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
