/**
 * A hub that runs for long among clients that come and go keeps its size. Runs for
 * `HOLDFAST_SOAK_MINUTES`; without that it is ignored. An hour is what shows a slow leak.
 */
import { assertEquals, assertLessOrEqual } from "../support/assert.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { HubProcess } from "../support/hub_process.ts";
import { childListeningOn, openHandles, residentBytes } from "../support/process_facts.ts";
import { RawClient } from "../support/raw_client.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { Chance, numberFromEnv, runSeed, say } from "../support/seed.ts";
import { WsClient } from "../support/ws_client.ts";

const FLAG = "HOLDFAST_SOAK_MINUTES";
const isAsked = Boolean(Deno.env.get(FLAG));
if (!isAsked) say(`soak: left out; ${FLAG}=60 runs it for an hour`);

const MINUTE_MS = 60_000;
const MEBIBYTE = 1024 * 1024;
const CLIENTS = 100;
/** Share of the time that the process gets to find its size. */
const WARM_UP_SHARE = 0.25;
const MAX_GROWTH_MIB = 10;
/** Handles come and go with connections that are just being made or ended. */
const MAX_MORE_HANDLES = 5;
const ROUND_MS = 1000;

interface Sample {
  readonly residentMib: number;
  readonly handles: number;
}

Deno.test({
  name: "a hub among clients that come and go keeps its memory and its handles",
  ignore: !isAsked,
  fn: async () => {
    const forMs = numberFromEnv(FLAG, 1) * MINUTE_MS;
    const chance = new Chance(runSeed("soak"));
    await using backend = new RpcBackend();
    await using hub = await HubProcess.start({
      backends: { core: quickBackend(backend.url, { breaker: { open_for: "1s" } }) },
      sources: [quickSource("system_status", "core"), quickSource("storage_update", "core")],
      hub: { heartbeat_every: "1s", stall_timeout: "2s" },
    });
    const pid = childListeningOn(Number(new URL(hub.url).port));
    const clients: WsClient[] = [];
    const join = async () => clients.push(await WsClient.connect(hub.ws()));
    while (clients.length < CLIENTS) await join();

    const samples: Sample[] = [];
    const begun = performance.now();
    while (performance.now() - begun < forMs) {
      // Some leave, one vanishes, the backend fails for a while now and then.
      for (let nth = 0; nth < 5; nth++) {
        await clients.splice(Math.floor(chance.next() * clients.length), 1)[0]?.close();
      }
      const lost = await RawClient.connect(hub.ws());
      await lost.reset();
      backend.setAll(chance.percent(20) ? chance.pick(["http_500", "reset", "hang"]) : "ok");
      while (clients.length < CLIENTS) await join();
      for (const { frames } of clients) frames.length = Math.min(frames.length, 1);
      await sleep(ROUND_MS);
      samples.push({ residentMib: residentBytes(pid) / MEBIBYTE, handles: openHandles(pid) });
    }
    await Promise.all(clients.map((client) => client.close()));

    const judged = samples.slice(Math.floor(samples.length * WARM_UP_SHARE));
    const third = Math.ceil(judged.length / 3);
    const [first, last] = [judged.slice(0, third), judged.slice(-third)];
    const memory = [first, last].map((part) => median(part.map((each) => each.residentMib)));
    const handles = [first, last].map((part) => median(part.map((each) => each.handles)));
    say(
      `soak: ${samples.length} rounds; RSS ${memory.map((mib) => mib.toFixed(1)).join(" -> ")} ` +
        `MiB, handles ${handles.join(" -> ")}`,
    );
    assertLessOrEqual((memory[1] ?? 0) - (memory[0] ?? 0), MAX_GROWTH_MIB);
    assertLessOrEqual((handles[1] ?? 0) - (handles[0] ?? 0), MAX_MORE_HANDLES);
    assertEquals(await hub.stop(), 0);
    assertEquals(hub.complaints, []);
  },
});

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
