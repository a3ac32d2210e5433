import { VERSION } from "../../../src/cli/version.ts";
import type { Kit, Manners, Peer, RunningPeer, StartOptions } from "../peer.ts";
import { ServerProcess } from "../server_process.ts";

const MAIN = new URL("../../../main.ts", import.meta.url).pathname;

/** How `deno task start` runs it. */
const FLAGS = [
  "--v8-flags=--max-semi-space-size=8",
  "--no-prompt",
  "--allow-net",
  "--allow-env",
  "--allow-read",
  "--allow-sys",
  "--allow-ffi=/lib/x86_64-linux-gnu/libc.so.6,/lib/aarch64-linux-gnu/libc.so.6",
];

/** Not secret: the hub lives for seconds, on loopback. */
const TOKEN = "bench";

/** More clients than any workload has. */
const MAX_CLIENTS = 20_000;

export interface HoldfastOptions {
  readonly name: string;
  readonly label: string;
  /** Whether clients ask for `batch=1`. */
  readonly batch: boolean;
  /** Threads that serve clients. Default: 1. */
  readonly workers?: number;
}

/** The hub of this checkout; publications are events, values come from polled sources. */
export function holdfast({ name, label, batch, workers = 1 }: HoldfastOptions): Peer {
  return {
    name,
    label,
    prepare: (kit) =>
      Promise.resolve({
        name,
        label,
        version: `${VERSION}, Deno ${Deno.version.deno}`,
        polls: true,
        manners: ({ sources, query = "" }): Manners => ({
          dialect: "welcome",
          path: `${pathFor(sources, batch)}${query}`,
          publishPath: "/publish",
          publishHeader: `Authorization: Bearer ${TOKEN}`,
          publishPrefix: `{"channel":"notification","data":`,
          publishSuffix: "}",
        }),
        start: (options) => start(kit, options, workers),
      }),
  };
}

/** Holdfast from this checkout, with these arguments. */
export function holdfastCommand(...args: readonly string[]): string[] {
  return [Deno.execPath(), "run", ...FLAGS, MAIN, ...args];
}

function pathFor(sources: number, batch: boolean): string {
  const channels = sources === 0
    ? ["notification"]
    : Array.from({ length: sources }, (_, index) => channelOf(index));
  return `/ws?token=${TOKEN}&channels=${channels.join(",")}${batch ? "&batch=1" : ""}`;
}

function channelOf(source: number): string {
  return `source_${source}`;
}

async function start(kit: Kit, { sources }: StartOptions, workers: number): Promise<RunningPeer> {
  const path = await Deno.makeTempFile({ dir: kit.folder, prefix: "hub-", suffix: ".json" });
  const config = {
    listen: "127.0.0.1:0",
    workers,
    auth: { tokens: [{ name: "bench", token: TOKEN, channels: ["*"], publish: true }] },
    hub: { max_clients: MAX_CLIENTS },
    ...(sources === undefined ? {} : {
      // What is due at one time shares one request, as it would at any JSON-RPC backend that can.
      backends: {
        bench: {
          transport: "json-rpc",
          url: `http://127.0.0.1:${sources.port}/`,
          batch: true,
        },
      },
      sources: Array.from({ length: sources.count }, (_, index) => ({
        channel: channelOf(index),
        backend: "bench",
        method: String(index),
        every: `${sources.everyMs}ms`,
      })),
    }),
  };
  await Deno.writeTextFile(path, JSON.stringify(config));
  const command = kit.cores.server(holdfastCommand("serve", "--config", path));
  return await ServerProcess.start(command, {
    speaksOn: "stderr",
    portIn: portInLog,
  });
}

/** The port in the hub's log line `server.listening`. */
function portInLog(line: string): number | undefined {
  const [, port] = /"event":"server\.listening".*?"url":"http:[^"]+:(\d+)/.exec(line) ?? [];
  return port === undefined ? undefined : Number(port);
}
