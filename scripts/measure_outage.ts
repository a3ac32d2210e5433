// deno-lint-ignore-file no-console -- a script speaks to its caller
/**
 * What an outage costs. Runs the hub on its default settings with four sources at 5 s, lets their
 * backend die, counts what still reaches it in the first 60 s (a naive poller makes 48 calls), and
 * watches the hub's memory to the end of the outage. Disconnects 1 if a bound is broken.
 *
 * `deno task measure:outage [--minutes N] [--how reset|hang|http_500]`
 */
import { parseArgs } from "node:util";
import { HubProcess } from "../tests/support/hub_process.ts";
import { childListeningOn, residentBytes } from "../tests/support/process_facts.ts";
import { type Mode, RpcBackend } from "../tests/support/rpc_backend.ts";
import { WsClient } from "../tests/support/ws_client.ts";

const COUNT_FOR_MS = 60_000;
const MAX_CALLS = 16;
/** Until then a young process' heap still finds its size, outage or not: memory counts from here. */
const WARM_UP_MS = 300_000;
const MAX_GROWTH_MIB = 5;
const LOOK_EVERY_MS = 5000;
/** Looks at either end of the time whose medians are compared. */
const LOOKS_COMPARED = 12;
const MEBIBYTE = 1024 * 1024;
const CHANNELS = ["system_status", "storage_update", "agent_status", "compression_update"];
const DEATHS: readonly Mode[] = ["reset", "hang", "http_500"];

const { values } = parseArgs({
  args: Deno.args,
  options: {
    minutes: { type: "string", default: "1" },
    how: { type: "string", default: "reset" },
  },
});
const minutes = Number(values.minutes);
const how = DEATHS.find((mode) => mode === values.how);
if (!(minutes >= 1) || how === undefined) {
  console.error(`--minutes must be 1 or more, --how one of ${DEATHS.join(", ")}`);
  Deno.exit(2);
}

await using backend = new RpcBackend();
await using hub = await HubProcess.start({
  backends: { core: { transport: "json-rpc", url: backend.url } },
  sources: CHANNELS.map((channel) => ({ channel, backend: "core", method: "GetSystemStatus" })),
});
const pid = childListeningOn(Number(new URL(hub.url).port));
await using client = await WsClient.connect(hub.ws({ channels: "error,heartbeat" }));
await sleep(12_000); // a few rounds of polls that go well

backend.setAll(how);
const before = backend.calls();
const begun = performance.now();
let calls: number | undefined;
const resident: number[] = [];
while (performance.now() - begun < minutes * 60_000) {
  await sleep(LOOK_EVERY_MS);
  const elapsed = performance.now() - begun;
  if (calls === undefined && elapsed >= COUNT_FOR_MS) {
    calls = backend.calls() - before;
    console.log(`calls to the dead backend (${how}) in 60 s: ${calls} (at most ${MAX_CALLS})`);
  }
  if (elapsed > WARM_UP_MS) resident.push(residentBytes(pid) / MEBIBYTE);
}
const isCheap = calls !== undefined && calls <= MAX_CALLS;
const isHeard = client.end === undefined && client.codes.includes("CIRCUIT_OPEN");
console.log(`calls in all ${minutes} minutes: ${backend.calls() - before}`);
console.log(`client: ${isHeard ? "told of the outage and still connected" : "NOT served"}`);
let isFlat = true;
if (resident.length >= 2 * LOOKS_COMPARED) {
  const first = median(resident.slice(0, LOOKS_COMPARED));
  const last = median(resident.slice(-LOOKS_COMPARED));
  isFlat = last - first <= MAX_GROWTH_MIB;
  const range = `${Math.min(...resident).toFixed(1)} to ${Math.max(...resident).toFixed(1)}`;
  console.log(`RSS minute by minute: ${byMinute(resident)} MiB`);
  console.log(
    `RSS after ${WARM_UP_MS / 1000} s of it: ${first.toFixed(1)} MiB, at its end ` +
      `${last.toFixed(1)} MiB (range ${range}; growth of at most ${MAX_GROWTH_MIB})`,
  );
} else console.log("RSS: not judged below 8 minutes");
Deno.exitCode = isCheap && isHeard && isFlat ? 0 : 1;
await hub.stop();

/** The median of each minute's looks. */
function byMinute(looks: readonly number[]): string {
  const perMinute = 60_000 / LOOK_EVERY_MS;
  const medians: string[] = [];
  for (let at = 0; at + perMinute <= looks.length; at += perMinute) {
    medians.push(median(looks.slice(at, at + perMinute)).toFixed(1));
  }
  return medians.join(" ");
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
