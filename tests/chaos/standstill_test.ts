/**
 * The hub's own process stands still (a debugger, a suspended machine, a long collection; here
 * SIGSTOP): that time is nobody's fault, and no client is judged by it.
 */
import { assertEquals } from "../support/assert.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { HubProcess } from "../support/hub_process.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { WsClient } from "../support/ws_client.ts";
import { PongClient } from "./pong_client.ts";

const SMALL = { channels: "system_status,error,heartbeat" };

const LOSSES = ["SLOW_CLIENT", "CLIENT_DISCONNECTED"];

/** Longer than the stall timeout, than the time to answer a ping, and than several heartbeats. */
const STANDSTILL_MS = 5000;

Deno.test("after a standstill of the hub nobody is stalled, late or closed", async () => {
  await using backend = new RpcBackend();
  backend.pad("GetStorage", 200_000);
  await using hub = await HubProcess.start(configFor(backend));
  const clients: WsClient[] = [];
  for (let nth = 0; nth < 20; nth++) clients.push(await WsClient.connect(hub.ws(SMALL)));
  const [witness] = clients;
  // The last to come is pinged last: when it has answered, so have the others, and nobody is pinged
  // again for a while. A pong on its way just then would be the runtime's to judge, not ours.
  using pinged = await PongClient.connect(hub.ws(SMALL));
  const heard = pinged.read();
  await pinged.ping();
  // One with frames waiting, which reads on as soon as the hub stands still.
  using busy = await PongClient.connect(hub.ws({ channels: "storage_update" }));
  const from = backend.calls("GetStorage");
  await witness?.waitFor(() => backend.calls("GetStorage") - from > 8);

  hub.signal("SIGSTOP");
  const reading = busy.read();
  await sleep(STANDSTILL_MS);
  hub.signal("SIGCONT");
  const before = busy.texts;

  for (const client of clients) await client.waitForBeats(5);
  await witness?.waitFor(() => busy.texts > before + 5);
  for (const client of clients) {
    assertEquals(client.end, undefined);
    assertEquals(client.codes.filter((code) => LOSSES.includes(code)), []);
  }
  const { total_clients, slow_client_drops, read_errors } = await (await fetch(`${hub.url}/status`))
    .json();
  assertEquals([total_clients, slow_client_drops, read_errors], [22, 0, 0]);
  assertEquals(hub.logs.filter(({ event }) => event === "client.disconnected"), []);
  assertEquals([pinged.closeCode, pinged.hasEnded], [undefined, false]);
  for (const each of [busy, pinged]) each[Symbol.dispose]();
  await Promise.all([reading, heard]);
  await Promise.all(clients.map((client) => client.close()));
});

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function configFor(backend: RpcBackend): object {
  return {
    backends: { core: quickBackend(backend.url, { timeout: "5s" }) },
    sources: [
      quickSource("system_status", "core"),
      quickSource("storage_update", "core", { method: "GetStorage" }),
    ],
    hub: { heartbeat_every: "200ms", ping_every: "3s", stall_timeout: "3s" },
  };
}
