import { assertEquals } from "../support/assert.ts";
import { quickBackend, quickSource } from "../support/hub_config.ts";
import { HubProcess } from "../support/hub_process.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { WsClient } from "../support/ws_client.ts";
import { PongClient } from "./pong_client.ts";

Deno.test("a client that answered no ping is told to the others, even if it reads on later", async () => {
  await using backend = new RpcBackend();
  backend.pad("GetStorage", 200_000);
  await using hub = await HubProcess.start({
    backends: { core: quickBackend(backend.url, { timeout: "5s" }) },
    sources: [quickSource("storage_update", "core", { method: "GetStorage" })],
    // So long that it is not for being slow that it goes.
    hub: { heartbeat_every: "200ms", ping_every: "1s", stall_timeout: "1m" },
  });
  await using witness = await WsClient.connect(hub.ws({ channels: "error,heartbeat" }));
  using silent = await PongClient.connect(hub.ws({ channels: "storage_update" }));
  silent.answers = false;
  const before = silent.read();
  await silent.ping();
  silent.isReading = false;
  await before;
  // By the time the runtime gives up on it, so much waits that the close frame waits as well.
  await witness.waitForBeats(15);
  const reading = silent.read();
  await witness.waitFor(() => silent.closeCode !== undefined);
  assertEquals(silent.closeCode, 1001);
  const notice = await witness.waitForCode("CLIENT_DISCONNECTED");
  const gone = await hub.waitForLog("client.disconnected");
  assertEquals(notice.data.data.client_id, gone["client_id"]);
  await witness.waitForBeats(3);
  assertEquals(witness.codes, ["CLIENT_DISCONNECTED"]);
  silent[Symbol.dispose]();
  await reading;
});
