// deno-lint-ignore-file no-console -- a script speaks to its caller
/**
 * What a delivery costs the hubs of a cluster in processor time, beside a hub by itself, all in one
 * run: each has as many clients, and all hear one value every 100 ms. Needs nats-server.
 *
 * `deno run -A scripts/measure_cluster.ts [--clients N] [--seconds N]`
 */
import { parseArgs } from "node:util";
import { clusterConfig, readerUrl, startHubs, untilLed } from "../tests/support/hub_cluster.ts";
import { HubProcess } from "../tests/support/hub_process.ts";
import { NatsServer } from "../tests/support/nats.ts";
import { childListeningOn } from "../tests/support/process_facts.ts";
import { RpcBackend } from "../tests/support/rpc_backend.ts";

/** Linux counts processor time in hundredths of a second. */
const TICK_US = 10_000;

/** Fields of `/proc/PID/stat` behind the name: time in the process, and in the system for it. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

const { values } = parseArgs({
  args: Deno.args,
  options: {
    clients: { type: "string", default: "150" },
    seconds: { type: "string", default: "20" },
  },
});
const clients = Number(values.clients);
const seconds = Number(values.seconds);

await using stack = new AsyncDisposableStack();
const nats = stack.use(await NatsServer.start());
const backend = stack.use(new RpcBackend());
const { cluster: _, ...alone } = clusterConfig({
  ...place(),
  also: sources(),
}) as { cluster: object };
const single = stack.use(await HubProcess.start(alone));
const hubs = await startHubs(
  [1, 2, 3].map(() => clusterConfig({ ...place(), also: sources() })),
  stack,
);
const { leader } = await untilLed(hubs);
const names = new Map<HubProcess, string>([
  [single, "by itself"],
  ...hubs.map((hub) => [hub, hub === leader ? "leader" : "follower"] as const),
]);
const frames = new Map<HubProcess, number>();
for (const hub of names.keys()) {
  frames.set(hub, 0);
  for (let nth = 0; nth < clients; nth++) {
    const socket = new WebSocket(readerUrl(hub, { channels: "system_status" }));
    socket.onmessage = () => frames.set(hub, (frames.get(hub) ?? 0) + 1);
    stack.defer(() => socket.close());
    await new Promise((resolve) => socket.onopen = resolve);
  }
}
await pause(3000);
const before = new Map([...names.keys()].map((hub) => [hub, usedUs(hub)]));
const heard = new Map(frames);
await pause(seconds * 1000);
let base: number | undefined;
for (const [hub, name] of names) {
  const deliveries = (frames.get(hub) ?? 0) - (heard.get(hub) ?? 0);
  const us = (usedUs(hub) - (before.get(hub) ?? 0)) / deliveries;
  base ??= us;
  console.log(
    `${name}: ${deliveries} deliveries, ${us.toFixed(1)} us of processor each, ` +
      `${(us / base).toFixed(2)} of a hub by itself`,
  );
}

function place() {
  return { nats: nats.url, backend: backend.url };
}

function sources() {
  return {
    sources: [{
      ...{ channel: "system_status", backend: "core", method: "GetSystemStatus" },
      every: "100ms",
      stale_after: "5s",
    }],
    hub: { heartbeat_every: "10s" },
  };
}

/** Processor time a hub has used, in microseconds. */
function usedUs(hub: HubProcess): number {
  const pid = childListeningOn(Number(new URL(hub.url).port));
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) * TICK_US;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
