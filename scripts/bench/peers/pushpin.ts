import { freePort } from "../free_port.ts";
import type { Kit, Peer, RunningPeer } from "../peer.ts";
import { runProgram } from "../run_program.ts";
import { ServerProcess } from "../server_process.ts";
import { serverFile } from "./simple.ts";

const CONNECTIONS = 20_000;

/**
 * Of each client, in both directions. pushpin drops messages that find no room there, which with its
 * 8 KiB are a few of 1 KB that come close together.
 */
const BUFFER_BYTES = 65_536;

/** Deliveries a second, and waiting, from which on pushpin slows down or drops: never reached. */
const NO_LIMIT = 100_000_000;

/** The proxy asks zurl for no more than 100 at a time, and refuses with 502 what is beyond. */
const CONNECTING = 25;

/** What pushpin logs: 2 would be a line at each publication and four at each connection. */
const WARNINGS = 1;

/** pushpin: WebSocket over HTTP to an origin that answers GRIP. */
export const pushpin: Peer = {
  name: "pushpin",
  label: "pushpin",
  async prepare(kit) {
    return {
      name: "pushpin",
      label: "pushpin",
      version: await versionOf(),
      polls: false,
      // The origin's welcome is the first frame.
      manners: () => ({
        dialect: "welcome",
        connecting: CONNECTING,
        path: "/sub",
        publishPath: "/publish/",
        publishPrefix: '{"items":[{"channel":"bench","formats":{"ws-message":{"content":"',
        publishInString: true,
        publishSuffix: '"}}}]}',
      }),
      start: () => start(kit),
    };
  },
};

async function versionOf(): Promise<string> {
  try {
    const [own, condure] = await Promise.all(
      ["pushpin", "condure", "zurl"].map((program) => runProgram([program, "--version"])),
    );
    return `pushpin ${numberIn(own)}, condure ${numberIn(condure)}, Deno ${Deno.version.deno}`;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error("needs pushpin with condure and zurl; on Debian: pushpin");
  }
}

function numberIn(text = ""): string {
  return /\d+(\.\d+)+/.exec(text)?.[0] ?? "?";
}

/** The origin is the first process: it starts pushpin, and ends with it. */
async function start({ folder, cores }: Kit): Promise<RunningPeer> {
  const own = await Deno.makeTempDir({ dir: folder, prefix: "pushpin-" });
  const ports = { clients: freePort(), publish: freePort(), origin: freePort() };
  await Deno.mkdir(`${own}/run`);
  await Deno.writeTextFile(`${own}/pushpin.conf`, configuration(own, ports));
  await Deno.writeTextFile(`${own}/routes`, routes(ports));
  const server = await ServerProcess.start(
    cores.server([
      ...[Deno.execPath(), "run", "--no-prompt", "--allow-net", "--allow-run=pushpin"],
      ...[serverFile("pushpin_origin.ts"), `${own}/pushpin.conf`],
      ...[String(ports.origin), String(ports.clients)],
    ]),
    { endSignal: "SIGTERM" },
  );
  return {
    pid: server.pid,
    port: server.port,
    publishPort: ports.publish,
    ended: () => server.ended(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

interface Ports {
  readonly clients: number;
  readonly publish: number;
  readonly origin: number;
}

/** Where clients' connections are asked for. */
function routes({ origin }: Ports): string {
  return `* 127.0.0.1:${origin},over_http\n`;
}

/** A zurl of its own instead of the system's; sockets in its own folder; no limits that throttle. */
export function configuration(folder: string, { clients, publish }: Ports): string {
  const socket = (name: string) => `ipc://${folder}/run/bench-${name}`;
  return `
[global]
include={libdir}/internal.conf
rundir=${folder}/run
ipc_prefix=bench-

[runner]
services=condure,zurl,pushpin-proxy,pushpin-handler
http_port=127.0.0.1:${clients}
logdir=${folder}
log_level=${WARNINGS}
client_maxconn=${CONNECTIONS}
client_buffer_size=${BUFFER_BYTES}

[proxy]
routesfile=${folder}/routes
zurl_out_specs=${socket("zurl-in")}
zurl_out_stream_specs=${socket("zurl-in-stream")}
zurl_in_specs=${socket("zurl-out")}

[handler]
push_in_http_addr=127.0.0.1
push_in_http_port=${publish}
push_in_spec=${socket("push")}
push_in_sub_specs=${socket("sub")}
command_spec=${socket("command")}
stats_spec=
message_rate=${NO_LIMIT}
message_hwm=${NO_LIMIT}
`;
}
