// @ts-types="../../src/std_types/delay.d.ts"
import { delay } from "@std/async/delay";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { runHoldfast } from "../support/command_line.ts";
import { freePort } from "../support/free_port.ts";
import { HubProcess } from "../support/hub_process.ts";
import { hasNatsServer, NatsServer } from "../support/nats.ts";
import { PATIENCE_MS } from "../support/until.ts";
import { WsClient } from "../support/ws_client.ts";

const HUBS = 3;

/** So many that one hub gets none of them once in 3 * (2/3)^60 runs. */
const CLIENTS = 60;

function config(nats: string, share_port: boolean): object {
  return { cluster: { nats, share_port }, hub: { heartbeat_every: "200ms" } };
}

/** Asks whichever hub answers until the clients of each hub, as the cluster sees them, are so. */
async function waitForClients(url: string, areSo: (byHub: number[]) => boolean): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const response = await fetch(`${url}/status`, { headers: { connection: "close" } });
    const { cluster } = await response.json();
    const byHub = cluster.hubs.map(({ clients }: { clients: number }) => clients);
    if (areSo(byHub)) return;
    assert(performance.now() < until, `clients by hub: ${byHub.join()}`);
    await delay(100);
  }
}

Deno.test({
  name: "hubs of one cluster share a port, and the system spreads the clients over them",
  ignore: !hasNatsServer(),
  fn: async () => {
    await using nats = await NatsServer.start();
    const port = freePort();
    await using hubs = new AsyncDisposableStack();
    const started: HubProcess[] = [];
    for (let count = 0; count < HUBS; count++) {
      started.push(hubs.use(await HubProcess.start(config(nats.url, true), { port })));
    }
    const [first] = started;
    assert(first);
    await waitForClients(first.url, (byHub) => byHub.length === HUBS);
    await using crowd = new AsyncDisposableStack();
    const clients: WsClient[] = [];
    for (let count = 0; count < CLIENTS; count++) {
      clients.push(crowd.use(await WsClient.connect(first.ws())));
    }
    await waitForClients(first.url, (byHub) => {
      const all = byHub.reduce((sum, count) => sum + count, 0);
      return all === CLIENTS && byHub.every((count) => count > 0);
    });
    assertEquals(new Set(clients.map(({ frames: [welcome] }) => welcome?.data.epoch)).size, 1);
    // One of them stops: the others take its clients, on the same port.
    assertEquals(await first.stop(), 0);
    const after = crowd.use(await WsClient.connect(first.ws()));
    assertEquals(after.frames[0]?.data.epoch, clients[0]?.frames[0]?.data.epoch);
  },
});

Deno.test({
  name: "a hub that does not share its port says so to the next one",
  ignore: !hasNatsServer(),
  fn: async () => {
    await using nats = await NatsServer.start();
    const port = freePort();
    await using _hub = await HubProcess.start(config(nats.url, false), { port });
    const { code, stderr } = await runHoldfast(["serve", "--listen", `127.0.0.1:${port}`]);
    assertEquals(code, 1);
    assertMatch(stderr, /something else does already/);
  },
});
