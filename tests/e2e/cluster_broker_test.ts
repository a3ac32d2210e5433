/** Several hubs whose engine is not what it was: a server of several dead, its store lost. */
import { assert, assertEquals, assertLess } from "../support/assert.ts";
import {
  assertAscending,
  assertAscendingInEachEpoch,
  isFresh,
  lastWelcome,
  notified,
  welcomesOf,
} from "../support/cluster_frames.ts";
import { clusterConfig, publishAt, startHubs, untilLed } from "../support/hub_cluster.ts";
import type { HubProcess } from "../support/hub_process.ts";
import { hasNatsServer, NatsServer } from "../support/nats.ts";
import { NatsCluster } from "../support/nats_cluster.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { clientsOf, threeHubs } from "../support/three_hubs.ts";

const ignore = !hasNatsServer();

/** How long servers of the engine may take to elect one of them, and hubs to find it. */
const ELECTION_MS = 30_000;

Deno.test({
  name: "of three servers of the engine one can die, the stream's leader even",
  ignore,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const engine = stack.use(await NatsCluster.start(3));
    const backend = stack.use(new RpcBackend());
    const config = clusterConfig({
      nats: engine.urls,
      backend: backend.url,
      // A server's death costs its successor's election, some five seconds, and is to be sat out.
      cluster: { lease: "10s", grace: "40s" },
    });
    const hubs = await startHubs([config, config, config], stack);
    await untilLed(hubs, ELECTION_MS);
    const clients = await clientsOf(hubs, stack);
    for (let n = 1; n <= 3; n++) await publishAt(hubs[0] as HubProcess, { n });
    const server = await engine.leaderOf("holdfast_holdfast");
    await server.kill();
    for (let n = 4; n <= 6; n++) await publishUntilTaken(hubs[1] as HubProcess, { n });
    await untilLed(hubs, ELECTION_MS);
    for (const client of clients) {
      await client.waitFor(({ data }) => data.n === 6, { timeoutMs: ELECTION_MS });
      await client.waitForCount(2, isFresh, { from: client.frames.length });
      assertEquals([...new Set(notified(client.frames))], [1, 2, 3, 4, 5, 6]);
      assertEquals(client.end, undefined);
      assertEquals(welcomesOf(client), 1, "one epoch, nothing lost");
      assertAscending(client.frames);
    }
    for (const { complaints } of hubs) assertEquals(complaints, []);
  },
});

Deno.test({
  name:
    "an engine that loses its store while hubs wait for it begins a new epoch, and says of the gap",
  ignore,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const { nats, hubs } = await threeHubs(stack, { cluster: { grace: "1m" } });
    await untilLed(hubs);
    const clients = await clientsOf(hubs, stack);
    await publishAt(hubs[0] as HubProcess, { n: 1 });
    for (const client of clients) await client.waitFor(({ data }) => data.n === 1);
    const before = clients.map((client) => String(lastWelcome(client).data.epoch));

    await nats.kill();
    await clients[0]?.waitForCode("CLUSTER_LOST");
    const { status } = await publishAt(hubs[0] as HubProcess, { n: 0 });
    assertEquals(status, 503, "nobody could say whether the others hear of it");
    await nats.restart({ wipe: true });
    await untilLed(hubs, 20_000);
    await publishAt(hubs[1] as HubProcess, { n: 2 });
    for (const [at, client] of clients.entries()) {
      await client.waitFor(({ data }) => data.n === 2);
      const { epoch, gap, recovered } = lastWelcome(client).data;
      assert(epoch !== before[at], "numbers begin anew");
      assertEquals({ gap, recovered }, { gap: true, recovered: false });
      assertEquals(notified(client.frames), [1, 2]);
      assertAscendingInEachEpoch(client.frames);
    }
    const epochs = new Set(clients.map((client) => lastWelcome(client).data.epoch));
    assertEquals(epochs.size, 1);
  },
});

Deno.test({
  name: "a hub that led leads again in a store made anew, where terms begin again",
  ignore,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const nats = stack.use(await NatsServer.start());
    const backend = stack.use(new RpcBackend());
    const config = clusterConfig({
      nats: nats.url,
      backend: backend.url,
      cluster: { grace: "1m" },
    });
    const hubs = await startHubs([config], stack);
    await untilLed(hubs);
    const [client] = await clientsOf(hubs, stack);
    assert(client);
    await client.waitForCount(1, isFresh);
    await nats.kill();
    await client.waitForCode("CLUSTER_LOST");
    await nats.restart({ wipe: true });
    await client.waitForCode("CLUSTER_RECOVERED", { timeoutMs: ELECTION_MS });
    await client.waitForCount(2, isFresh, { from: client.frames.length });
    assertEquals(lastWelcome(client).data.gap, true);
  },
});

/** Publishes until it is certain that the cluster has it: it may come twice then. */
async function publishUntilTaken(hub: HubProcess, data: object): Promise<void> {
  const lateAt = performance.now() + ELECTION_MS;
  while ((await publishAt(hub, data)).status !== 202) {
    assertLess(performance.now(), lateAt, "the engine takes nothing");
  }
}
