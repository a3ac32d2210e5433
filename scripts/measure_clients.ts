// deno-lint-ignore-file no-console -- a script speaks to its caller
/**
 * What an idle client costs. Runs the hub on its default settings, connects clients over loopback
 * and compares the hub's memory before and after, once things are quiet.
 *
 * `deno run --allow-all scripts/measure_clients.ts [--clients N] [--events]`
 */
import { parseArgs } from "node:util";
import { HubProcess } from "../tests/support/hub_process.ts";
import { childListeningOn, openHandles, residentBytes } from "../tests/support/process_facts.ts";
import { SseClient } from "../tests/support/sse_client.ts";
import { WsClient } from "../tests/support/ws_client.ts";

/** Connected at one time; more would meet the bounds of the accept queue. */
const AT_ONCE = 50;
/** Two rounds of the default sources and a heartbeat. */
const SETTLE_MS = 12_000;
const KIBIBYTE = 1024;
const GIBIBYTE = 1024 ** 3;
/** Loopback has only so many ports, and this process a descriptor for each client. */
const MAX_CLIENTS = 15_000;

const { values } = parseArgs({
  args: Deno.args,
  options: {
    clients: { type: "string", default: "1000" },
    events: { type: "boolean", default: false },
  },
});
const wanted = Number(values.clients);
if (!Number.isInteger(wanted) || wanted < 1 || wanted > MAX_CLIENTS) {
  console.error(`--clients must be a whole number from 1 to ${MAX_CLIENTS}`);
  Deno.exit(2);
}

await using hub = await HubProcess.start();
const pid = childListeningOn(Number(new URL(hub.url).port));
await sleep(SETTLE_MS);
const before = { bytes: residentBytes(pid), handles: openHandles(pid) };
const clients: AsyncDisposable[] = [];
for (let at = 0; at < wanted; at += AT_ONCE) {
  const count = Math.min(AT_ONCE, wanted - at);
  clients.push(...await Promise.all(Array.from({ length: count }, connect)));
}
await sleep(SETTLE_MS);
const after = { bytes: residentBytes(pid), handles: openHandles(pid) };
const each = (after.bytes - before.bytes) / wanted;
console.log(
  `${wanted} ${
    values.events ? "event streams" : "WebSockets"
  }, all channels, Deno ${Deno.version.deno}`,
);
console.log(
  `RSS ${kib(before.bytes)} -> ${kib(after.bytes)} KiB: ${(each / KIBIBYTE).toFixed(1)} KiB each`,
);
console.log(`clients per GiB: ${Math.floor(GIBIBYTE / each)}`);
console.log(`descriptors: ${before.handles} -> ${after.handles}`);
await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
await hub.stop();

function connect(): Promise<AsyncDisposable> {
  return values.events ? SseClient.connect(`${hub.url}/events`) : WsClient.connect(hub.ws());
}

function kib(bytes: number): number {
  return Math.round(bytes / KIBIBYTE);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
