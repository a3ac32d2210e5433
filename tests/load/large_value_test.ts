import { assert, assertEquals, assertLess } from "../support/assert.ts";
import { quickBackend } from "../support/hub_config.ts";
import { HubProcess } from "../support/hub_process.ts";
import { childListeningOn, residentBytes } from "../support/process_facts.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { say } from "../support/seed.ts";
import { WsClient } from "../support/ws_client.ts";
import { StalledClients } from "./stalled_clients.ts";

/** Sixty are what is promised; a build takes fewer. */
const CLIENTS = Number(Deno.env.get("HOLDFAST_TEST_STALLED_CLIENTS") ?? 20);
const VALUE_CHARACTERS = 8_000_000;
const MEBIBYTE = 1024 * 1024;
const MOST_MIB = 200;
/** Seconds in which memory is looked at, without stalled clients and with them. */
const IDLE_SECONDS = 8;
const STALLED_SECONDS = 12;

Deno.test("C48: stalled clients of a large value cost bounded memory, and nobody else waits for them", async () => {
  await using backend = new RpcBackend();
  backend.pad("GetStorage", VALUE_CHARACTERS);
  await using hub = await HubProcess.start({
    backends: {
      core: { ...quickBackend(backend.url, { timeout: "5s" }), max_response_bytes: 64_000_000 },
    },
    sources: [{ channel: "storage_update", backend: "core", method: "GetStorage", every: "1s" }],
    hub: { heartbeat_every: "200ms" },
  });
  const pid = childListeningOn(Number(new URL(hub.url).port));
  const most = async (seconds: number) => {
    let bytes = 0;
    for (let look = 0; look < 10 * seconds; look++) {
      bytes = Math.max(bytes, residentBytes(pid));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return bytes;
  };
  await using healthy = await WsClient.connect(hub.ws({ channels: "storage_update,heartbeat" }));
  const idle = await most(IDLE_SECONDS);
  using _stalled = await StalledClients.connect(hub.ws({ channels: "storage_update" }), CLIENTS);
  const from = healthy.frames.length;
  const stalled = await most(STALLED_SECONDS);
  const above = (stalled - idle) / MEBIBYTE;
  say(
    `memory: ${CLIENTS} clients that take nothing of a value of ${VALUE_CHARACTERS} characters ` +
      `cost the hub ${above.toFixed(0)} MiB above the ${
        (idle / MEBIBYTE).toFixed(0)
      } MiB it took before`,
  );
  assertLess(above, MOST_MIB);
  assert(healthy.frames.slice(from).some(({ type }) => type === "storage_update"));
  assertEquals(healthy.end, undefined);
});
