import { assertEquals } from "../support/assert.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { HubProcess } from "../support/hub_process.ts";
import { RawClient } from "../support/raw_client.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { WsClient } from "../support/ws_client.ts";

Deno.test("a client that vanishes with a reset is told to the others, once", async () => {
  await using backend = new RpcBackend();
  await using hub = await HubProcess.start(configFor(backend));
  await using one = await WsClient.connect(hub.ws());
  await using other = await WsClient.connect(hub.ws());
  using lost = await RawClient.connect(hub.ws());
  const id = JSON.parse(await lost.readText()).data.session;
  await lost.reset();

  for (const client of [one, other]) {
    const notice = await client.waitForCode("CLIENT_DISCONNECTED");
    assertEquals(notice.type, "connection_error");
    assertEquals(notice.data.component, "client");
    assertEquals(notice.data.severity, "warning");
    assertEquals(notice.data.data.client_id, id);
    await client.waitForBeats(3);
    assertEquals(client.codes, ["CLIENT_DISCONNECTED"]);
  }
  const status = await (await fetch(`${hub.url}/status`)).json();
  assertEquals([status.total_clients, status.read_errors], [2, 1]);
});

Deno.test("a client that says goodbye is not told to the others", async () => {
  await using backend = new RpcBackend();
  await using hub = await HubProcess.start(configFor(backend));
  await using other = await WsClient.connect(hub.ws());
  const leaving = await WsClient.connect(hub.ws());
  await leaving.close();
  assertEquals(leaving.end?.clean, true);
  await hub.waitForLog("client.disconnected");

  await other.waitForBeats(3);
  assertEquals(other.codes, []);
  const status = await (await fetch(`${hub.url}/status`)).json();
  assertEquals([status.total_clients, status.read_errors, status.error_count], [1, 0, 0]);
});

function configFor(backend: RpcBackend): object {
  return {
    backends: { core: quickBackend(backend.url, { timeout: "5s" }) },
    sources: [quickSource("system_status", "core")],
    hub: { heartbeat_every: "200ms" },
  };
}
