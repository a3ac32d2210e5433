import { assertEquals } from "../support/assert.ts";
import { startApp, wsUrl } from "../support/hub_in_process.ts";
import { WsClient } from "../support/ws_client.ts";

Deno.test("C03: hubs of one process on one port leave each other's clients alone", async () => {
  const cluster = { nats: "nats://127.0.0.1:9", share_port: true, grace: "100ms", lease: "1s" };
  const settings = { cluster, hub: { heartbeat_every: "50ms", request_timeout: "300ms" } };
  await using one = await startApp(settings);
  const { port } = new URL(one.url);
  await using other = await startApp({ ...settings, listen: `127.0.0.1:${port}` });
  const clients: WsClient[] = [];
  try {
    while (one.hub.size === 0 || other.hub.size === 0) {
      try {
        clients.push(await WsClient.connect(wsUrl(one)));
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50)); // it still looks for the others
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assertEquals(clients.map(({ end }) => end), clients.map(() => undefined));
    assertEquals(one.hub.size + other.hub.size, clients.length);
  } finally {
    for (const client of clients) await client[Symbol.asyncDispose]();
  }
});
