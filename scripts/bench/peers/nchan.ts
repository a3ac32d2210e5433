import { freePort } from "../free_port.ts";
import type { Kit, Peer, RunningPeer, StartOptions } from "../peer.ts";
import { childrenOf } from "../process_tree.ts";
import { runProgram } from "../run_program.ts";
import { ServerProcess } from "../server_process.ts";

/** Where Debian's package libnginx-mod-nchan has the module. */
const MODULE = "/usr/lib/nginx/modules/ngx_nchan_module.so";

/** Looks for the worker, in milliseconds: how long, and how often. */
const WORKER_MS = 5000;
const LOOK_EVERY_MS = 20;

const CONNECTIONS = 20_000;

/** nginx with the nchan module, one worker. */
export const nchan: Peer = {
  name: "nchan",
  label: "nginx nchan",
  async prepare(kit) {
    const version = await versionOf();
    return {
      name: "nchan",
      label: "nginx nchan",
      version,
      polls: false,
      manners: () => ({ dialect: "plain", path: "/sub", publishPath: "/pub" }),
      start: (_options: StartOptions) => start(kit),
    };
  },
};

async function versionOf(): Promise<string> {
  let nginx: string;
  try {
    nginx = await runProgram(["nginx", "-v"]);
    await Deno.stat(MODULE);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error("needs nginx and nchan; on Debian: nginx-light and libnginx-mod-nchan");
  }
  const [, number = "?"] = /nginx\/(\S+)/.exec(nginx) ?? [];
  return `nginx ${number}${await nchanVersion()}`;
}

async function nchanVersion(): Promise<string> {
  try {
    const format = "-f=${Version}";
    return `, nchan ${await runProgram(["dpkg-query", "-W", format, "libnginx-mod-nchan"])}`;
  } catch {
    return ", nchan"; // not from a Debian package: it does not tell its version itself
  }
}

async function start({ folder, cores }: Kit): Promise<RunningPeer> {
  const prefix = await Deno.makeTempDir({ dir: folder, prefix: "nginx-" });
  const port = freePort();
  await Deno.writeTextFile(`${prefix}/nginx.conf`, configuration(port));
  const command = ["nginx", "-p", prefix, "-e", "stderr", "-c", `${prefix}/nginx.conf`];
  // nginx says nothing once it listens. At `notice` it tells of its worker, after it has bound.
  const server = await ServerProcess.start(cores.server(command), {
    speaksOn: "stderr",
    portIn: (line) => line.includes("start worker process ") ? port : undefined,
    endSignal: "SIGTERM",
  });
  try {
    const pid = await workerOf(server.pid);
    return {
      pid,
      port,
      ended: () => server.ended(),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/** The one child of the master process. */
async function workerOf(master: number): Promise<number> {
  const giveUp = performance.now() + WORKER_MS;
  while (performance.now() < giveUp) {
    const [worker] = await childrenOf(master);
    if (worker !== undefined) return worker;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new Error("nginx started no worker");
}

function configuration(port: number): string {
  return `
load_module ${MODULE};
daemon off;
pid nginx.pid;
error_log stderr notice;
worker_processes 1;
worker_rlimit_nofile ${CONNECTIONS};
events { worker_connections ${CONNECTIONS}; }
http {
  access_log off;
  keepalive_requests 1000000;
  keepalive_timeout 600s;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  client_body_buffer_size 128k;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /pub {
      nchan_publisher;
      nchan_channel_id bench;
      nchan_message_timeout 60s;
    }
    location = /sub {
      nchan_subscriber websocket;
      nchan_channel_id bench;
      nchan_subscriber_first_message newest;
    }
  }
}
`;
}
