import { freePort } from "../free_port.ts";
import type { Kit, Peer, RunningPeer } from "../peer.ts";
import { runProgram } from "../run_program.ts";
import { ServerProcess } from "../server_process.ts";

const CONNECTIONS = 20_000;

/** nats-server: core publish, clients over its WebSocket. */
export const nats: Peer = {
  name: "nats",
  label: "NATS",
  async prepare(kit) {
    return {
      name: "nats",
      label: "NATS",
      version: await versionOf(),
      polls: false,
      manners: () => ({ dialect: "nats", path: "/", publishPath: "" }),
      start: () => start(kit),
    };
  },
};

async function versionOf(): Promise<string> {
  try {
    const said = await runProgram(["nats-server", "--version"]);
    const [, number = "?"] = /v(\d\S*)/.exec(said) ?? [];
    return `nats-server ${number}`;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error("needs nats-server; on Debian: nats-server");
  }
}

async function start({ folder, cores }: Kit): Promise<RunningPeer> {
  const prefix = await Deno.makeTempDir({ dir: folder, prefix: "nats-" });
  const [port, publishPort] = [freePort(), freePort()];
  await Deno.writeTextFile(`${prefix}/nats.conf`, configuration(port, publishPort));
  const command = ["nats-server", "-c", `${prefix}/nats.conf`];
  const server = await ServerProcess.start(cores.server(command), {
    speaksOn: "stderr",
    portIn: (line) => line.includes("Server is ready") ? port : undefined,
  });
  return {
    pid: server.pid,
    port,
    publishPort,
    ended: () => server.ended(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function configuration(port: number, publishPort: number): string {
  return `
listen: "127.0.0.1:${publishPort}"
max_connections: ${CONNECTIONS}
websocket { listen: "127.0.0.1:${port}", no_tls: true }
`;
}
