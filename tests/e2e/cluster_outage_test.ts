/** Several hubs that lose the NATS server their stream is on, all of them or one alone. */
import { assert, assertEquals, assertGreater } from "../support/assert.ts";
import {
  assertAscendingInEachEpoch,
  assertNeverOlder,
  assertOnePoller,
  isFresh,
  isStale,
  lastWelcome,
  notified,
  welcomesOf,
} from "../support/cluster_frames.ts";
import { eventually } from "../support/eventually.ts";
import {
  ask,
  clusterConfig,
  publishAt,
  readerUrl,
  startHubs,
  statusOf,
  untilLed,
  untilRole,
  untilStatus,
} from "../support/hub_cluster.ts";
import type { HubProcess } from "../support/hub_process.ts";
import { hasNatsServer, NatsServer } from "../support/nats.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";
import { clientsOf } from "../support/three_hubs.ts";
import { WsClient } from "../support/ws_client.ts";

const ignore = !hasNatsServer();

/** How long a takeover may take where a lease lasts a second, on a machine busy with other things. */
const TAKEOVER_MS = 10_000;

Deno.test({
  name: "without the engine hubs go on by themselves, and fold back into one stream",
  ignore,
  async fn() {
    await using stack = new AsyncDisposableStack();
    await using nats = await NatsServer.start();
    await using backend = new RpcBackend();
    const config = clusterConfig({ nats: nats.url, backend: backend.url });
    const hubs = await startHubs([config, config, config], stack);
    await untilLed(hubs);
    const clients = await clientsOf(hubs, stack);
    for (const client of clients) await client.waitForCount(2, isFresh);
    for (const wipe of [false, true]) {
      const from = clients.map(({ frames }) => frames.length);
      const { leader } = await untilLed(hubs);
      await nats.kill();
      for (const [at, client] of clients.entries()) {
        const lost = await client.waitForCode("CLUSTER_LOST", { from: from[at] ?? 0 });
        assertEquals([lost.type, lost.data.component], ["connection_error", "hub"]);
        const lostAt = client.frames.indexOf(lost);
        // The leader polls on, and what it finds out is true for its own clients.
        if (hubs[at] !== leader) await client.waitFor(isStale, { from: lostAt });
      }
      for (const hub of hubs) await untilRole(hub, "alone");
      for (const [at, client] of clients.entries()) {
        const aloneAt = client.frames.findLastIndex(({ type }) => type === "welcome");
        assertGreater(aloneAt, from[at] ?? 0, "a new epoch, without a reconnection");
        await client.waitForCount(3, isFresh, { from: aloneAt });
      }
      const { status } = await publishAt(hubs[0] as HubProcess, { local: wipe });
      assertEquals(status, 202);
      await clients[0]?.waitFor(({ data }) => data.local === wipe);
      assertEquals((await ask(hubs[1] as HubProcess, "/readyz")).status, 200);
      const epochs = new Set(clients.map((client) => lastWelcome(client).data.epoch));
      assertEquals(epochs.size, 3, "each for itself");

      await nats.restart({ wipe });
      await untilLed(hubs, 20_000);
      for (const [at, client] of clients.entries()) {
        const back = await client.waitForCode("CLUSTER_RECOVERED", { from: from[at] ?? 0 });
        await client.waitForCount(2, isFresh, { from: client.frames.indexOf(back) });
      }
      const again = new Set(clients.map((client) => lastWelcome(client).data.epoch));
      assertEquals(again.size, 1, "one epoch again");
      const { seq } = await publishAt(hubs[2] as HubProcess, { shared: wipe });
      for (const client of clients) {
        assertEquals((await client.waitFor(({ data }) => data.shared === wipe)).seq, seq);
      }
    }
    for (const client of clients) {
      assertEquals(client.end, undefined, "nobody lost its connection");
      assertNeverOlder(client.frames);
      assertAscendingInEachEpoch(client.frames);
    }
    for (const { complaints } of hubs) assertEquals(complaints, []);
  },
});

for (const how of ["cut", "reset"] as const) {
  Deno.test({
    name: `a hub whose network is ${how} goes on alone and brings its clients what they missed`,
    ignore,
    async fn() {
      await using stack = new AsyncDisposableStack();
      await using nats = await NatsServer.start();
      await using backend = new RpcBackend();
      await using network = new TcpProxy(nats.url);
      const configs = [network.url, nats.url, nats.url]
        .map((url) => clusterConfig({ nats: url, backend: backend.url }));
      const [cutOff, second, third] = await startHubs(configs, stack);
      assert(cutOff && second && third);
      await untilLed([cutOff, second, third]);
      const [lonely, witness] = await clientsOf([cutOff, second], stack);
      assert(lonely && witness);
      await publishAt(third, { n: 1 });
      await lonely.waitFor(({ data }) => data.n === 1);

      if (how === "cut") network.cut();
      else await network.reset();
      await untilRole(cutOff, "alone");
      await untilLed([second, third], TAKEOVER_MS);
      for (let n = 2; n <= 6; n++) await publishAt(second, { n });
      await witness.waitFor(({ data }) => data.n === 6);
      await lonely.waitForCount(2, isFresh, { from: lonely.frames.length });
      assertEquals((await ask(cutOff, "/status")).body.cluster.connected, false);
      assertEquals(notified(lonely.frames), [1]);

      network.heal();
      await untilRole(cutOff, "follower", 20_000);
      await publishAt(cutOff, { n: 7 });
      await lonely.waitFor(({ data }) => data.n === 7);
      assertEquals(notified(lonely.frames), [1, 2, 3, 4, 5, 6, 7]);
      assertEquals(lastWelcome(lonely).data.gap, false, "nothing was missed in the end");
      assertEquals(lastWelcome(lonely).data.epoch, witness.frames[0]?.data.epoch);
      assertEquals(welcomesOf(witness), 1, "the others noticed nothing");
      // A busy machine may fail a poll: that is of the backend, and everybody's.
      assertEquals(witness.codes.filter((code) => !code.startsWith("RPC_")), []);
      assertAscendingInEachEpoch(lonely.frames);
      assertNeverOlder(witness.frames);
    },
  });
}

Deno.test({
  name: "a leader that lost its place during a short absence stops polling",
  ignore,
  async fn() {
    await using stack = new AsyncDisposableStack();
    await using nats = await NatsServer.start();
    await using networks = new AsyncDisposableStack();
    const proxies = [1, 2].map(() => networks.use(new TcpProxy(nats.url)));
    const backends = [1, 2].map(() => stack.use(new RpcBackend()));
    // So long that nobody gives up the stream: whoever is away comes back as what it was.
    const cluster = { grace: "1m" };
    const configs = proxies.map(({ url: nats }, at) =>
      clusterConfig({ nats, backend: backends[at]?.url ?? "", cluster })
    );
    const hubs = await startHubs(configs, stack);
    const { leader, followers: [follower] } = await untilLed(hubs);
    assert(follower);
    const away = proxies[hubs.indexOf(leader)];
    const own = backends[hubs.indexOf(leader)];
    await away?.reset();
    await untilRole(follower, "leader", TAKEOVER_MS);
    away?.heal();
    await untilLed(hubs);
    await untilRole(leader, "follower");
    const calls = own?.calls() ?? 0;
    const witness = stack.use(await WsClient.connect(readerUrl(leader)));
    await witness.waitForCount(8, isFresh);
    assertEquals(own?.calls(), calls, "one poller");
    // The first one may be the last that this hub polled itself, and handed over on connecting.
    assertOnePoller(witness.frames.filter(({ seq }) => seq !== undefined));
  },
});

Deno.test({
  name:
    "C59: a hub that finds no engine says why, lets nobody in, and serves by itself after the grace time",
  ignore,
  async fn() {
    await using stack = new AsyncDisposableStack();
    await using nats = await NatsServer.start();
    await using backend = new RpcBackend();
    await nats.kill();
    const config = clusterConfig({
      nats: nats.url,
      backend: backend.url,
      cluster: { grace: "4s" },
    });
    const [hub] = await startHubs([config], stack, { untilOpen: false });
    assert(hub);
    const [ready, events] = [await ask(hub, "/readyz"), await ask(hub, "/events")];
    if ((await statusOf(hub)).cluster.role !== "alone") {
      assertEquals([ready.status, events.status], [503, 503], "it has nothing to show yet");
      const { why } = (await statusOf(hub)).cluster;
      assert(why?.includes("refused"), why);
    }
    await untilRole(hub, "alone");
    const client = stack.use(await WsClient.connect(readerUrl(hub)));
    await client.waitFor(isFresh);
    await eventually(
      "its log says that it is alone",
      () => hub.logs.some(({ event }) => event === "cluster.alone"),
    );
    assertEquals((await ask(hub, "/readyz")).status, 200);
    await nats.restart();
    await untilRole(hub, "leader", 20_000);
    await client.waitForCode("CLUSTER_RECOVERED");
    assertEquals(await hub.stop(), 0);
    assertEquals(hub.complaints, []);
  },
});

Deno.test({
  name:
    "C44: with state, what a hub took while alone outlives its being killed, and reaches the others",
  ignore,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const nats = stack.use(await NatsServer.start());
    const backend = stack.use(new RpcBackend());
    const dir = await Deno.makeTempDir();
    stack.defer(() => Deno.remove(dir, { recursive: true }));
    const plain = { nats: nats.url, backend: backend.url };
    const kept = clusterConfig({ ...plain, also: { state: { dir } } });
    const [keeper, other] = await startHubs([kept, clusterConfig(plain)], stack);
    assert(keeper && other);
    await untilLed([keeper, other]);
    const client = stack.use(await WsClient.connect(readerUrl(other)));
    await nats.kill();
    for (const hub of [keeper, other]) await untilRole(hub, "alone");
    for (const n of [1, 2]) {
      const { status, shared } = await publishAt(keeper, { n });
      assertEquals([status, shared], [202, false]);
    }
    keeper.signal("SIGKILL");
    await keeper.ended();
    await nats.restart();
    await untilRole(other, "leader", 20_000);
    const [again] = await startHubs([kept], stack);
    assert(again);
    await client.waitFor(({ data }) => data.n === 2);
    assertEquals(notified(client.frames), [1, 2]);
    const { cluster } = await untilStatus(again, ({ cluster }) => cluster.unsaid === 0);
    assertEquals(cluster.role, "follower");
  },
});
