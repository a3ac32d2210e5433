/** Several hubs as users run them, sharing one stream on a real NATS server. */
import { assert, assertEquals, assertGreater, assertLess } from "../support/assert.ts";
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
import { NatsCluster } from "../support/nats_cluster.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";
import { type Heard, WsClient } from "../support/ws_client.ts";

const ignore = !hasNatsServer();

/** How long a takeover may take where a lease lasts a second, on a machine busy with other things. */
const TAKEOVER_MS = 10_000;

/** How long servers of the engine may take to elect one of them, and hubs to find it. */
const ELECTION_MS = 30_000;

Deno.test({
  name: "three hubs send the same stream, one of them polls, and any takes a notification",
  ignore,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const { hubs, backends } = await threeHubs(stack);
    const { leader, followers } = await untilLed(hubs);
    const clients = await clientsOf(hubs, stack);
    const welcomes = clients.map(({ frames }) => frames[0]?.data.epoch);
    assertEquals(new Set(welcomes).size, 1, "one epoch");

    const callsBefore = backends.map((backend) => backend.calls());
    for (const [at, hub] of hubs.entries()) {
      const { status, seq } = await publishAt(hub, { title: "to all", from: at });
      assertEquals(status, 202);
      for (const client of clients) {
        const { seq: heard } = await client.waitFor(({ data }) => data.from === at);
        assertEquals(heard, seq, "under the number the publisher was told");
      }
    }
    const last = Math.max(...clients.map(({ frames }) => seqs(frames).at(-1) ?? 0)) + 5;
    for (const client of clients) await client.waitFor(({ seq = 0 }) => seq > last);
    const [first, ...others] = clients.map(({ frames }) => numberedValues(frames, last));
    for (const other of others) assertSameWhereBoth(first, other);

    const polled = backends.filter((backend, at) => backend.calls() > (callsBefore[at] ?? 0));
    assertEquals(polled, [backends[hubs.indexOf(leader)]], "only the leader polls");
    for (const follower of followers) {
      const { backends: shown } = await untilStatus(follower, ({ backends }) => "core" in backends);
      assertEquals(shown["core"]?.state, "closed", "the leader's word on its backends");
    }
    const { body, status } = await ask(followers[0] ?? leader, "/snapshot/system_status");
    assertEquals([status, body.is_stale], [200, false]);
    await untilStatus(leader, ({ cluster }) => cluster.clients_connected === 3);
    await clients[0]?.waitFor(({ type, data }) =>
      type === "heartbeat" && data.clients_connected === 1 && data.cluster_clients_connected === 3
    );
    for (const hub of hubs) assertEquals((await ask(hub, "/readyz")).status, 200);
    for (const { complaints } of hubs) assertEquals(complaints, []);
  },
});

Deno.test({
  name: "a killed leader is replaced: the stream goes on, its clients resume elsewhere",
  ignore,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const { hubs, backends } = await threeHubs(stack);
    const { leader, followers: [second, third] } = await untilLed(hubs);
    assert(second && third);
    const orphan = await WsClient.connect(readerUrl(leader));
    const witness = stack.use(await WsClient.connect(readerUrl(second)));
    for (let n = 1; n <= 3; n++) await publishAt(second, { n });
    await orphan.waitFor(({ data }) => data.n === 3);
    const resume = resumeOf(orphan);

    leader.signal("SIGKILL");
    const killedAt = performance.now();
    for (let n = 4; n <= 6; n++) await publishAt(third, { n });
    const { leader: next } = await untilLed([second, third], TAKEOVER_MS);
    assertLess(performance.now() - killedAt, TAKEOVER_MS);
    const callsThen = backends.map((backend) => backend.calls());
    const valuesThen = witness.frames.length;
    for (let n = 7; n <= 9; n++) await publishAt(second, { n });
    await witness.waitForCount(3, isFresh, { from: valuesThen });

    const back = stack.use(await WsClient.connect(readerUrl(third, resume)));
    const { recovered, gap, epoch } = back.frames[0]?.data ?? {};
    assertEquals({ recovered, gap, epoch }, {
      recovered: true,
      gap: false,
      epoch: resume.epoch,
    });
    await back.waitFor(({ data }) => data.n === 9);
    assertEquals(notified(back.frames), [4, 5, 6, 7, 8, 9]);
    assertEquals(notified(witness.frames), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assertAscending(witness.frames);
    assertEquals(welcomesOf(witness), 1, "the epoch goes on");
    const polled = hubs.filter((_, at) => (backends[at]?.calls() ?? 0) > (callsThen[at] ?? 0));
    assertEquals(polled, [next]);
  },
});

Deno.test({
  name: "a stopped leader that wakes up finds another one and follows it",
  ignore,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const { hubs, backends } = await threeHubs(stack);
    const { leader, followers } = await untilLed(hubs);
    const witness = stack.use(await WsClient.connect(readerUrl(followers[0] ?? leader)));
    const sleeper = stack.use(await WsClient.connect(readerUrl(leader)));
    await witness.waitForCount(2, isFresh);

    leader.signal("SIGSTOP");
    try {
      await untilLed(followers, TAKEOVER_MS);
      await publishAt(followers[0] ?? leader, { n: 1 });
    } finally {
      leader.signal("SIGCONT");
    }
    const wokeAt = witness.frames.length;
    await untilRole(leader, "follower");
    const own = backends[hubs.indexOf(leader)];
    const calls = own?.calls();
    await witness.waitForCount(10, isFresh, { from: wokeAt });
    assertEquals(own?.calls(), calls, "it has stopped polling");
    // Each hub's backend counts for itself: a value of the woken hub's would stand out.
    assertOnePoller(witness.frames.slice(wokeAt));
    await sleeper.waitFor(({ data }) => data.n === 1);
    assertAscending(witness.frames);
    assertAscending(sleeper.frames);
    assertEquals(welcomesOf(sleeper), 1, "it missed nothing and need not be told so");
    await untilLed(hubs);
  },
});

Deno.test({
  name: "a leader that stops in good order hands over at once",
  ignore,
  async fn() {
    await using stack = new AsyncDisposableStack();
    // With a lease this long nobody could lead in time unless it was given back.
    const { hubs } = await threeHubs(stack, { cluster: { lease: "30s" } });
    const { leader, followers } = await untilLed(hubs);
    const witness = stack.use(await WsClient.connect(readerUrl(followers[0] ?? leader)));
    const stopped = leader.stop();
    await untilLed(followers, TAKEOVER_MS);
    assertEquals(await stopped, 0);
    await witness.waitForCount(3, isFresh, { from: witness.frames.length });
    assertEquals(witness.codes, [], "nobody but its own clients need know");
    const left = followers.map((hub) => statusOf(hub).then(({ cluster }) => cluster.hubs.length));
    assertEquals(await Promise.all(left), [2, 2], "it said goodbye");
  },
});

Deno.test({
  name: "a hub that joins later has everything: values, history, and what is known of backends",
  ignore,
  async fn() {
    await using stack = new AsyncDisposableStack();
    await using nats = await NatsServer.start();
    await using backend = new RpcBackend();
    const config = clusterConfig({
      nats: nats.url,
      backend: backend.url,
      also: { hub: { heartbeat_every: "200ms", outbox_messages: 256, history_messages: 50 } },
    });
    const [first] = await startHubs([config], stack);
    assert(first);
    await untilRole(first, "leader");
    const client = await WsClient.connect(readerUrl(first));
    await client.waitFor(isFresh);
    for (let n = 1; n <= 5; n++) await publishAt(first, { n });
    await client.waitFor(({ data }) => data.n === 1);
    const resume = { ...resumeOf(client), since: String(seqOfNotification(client, 1)) };
    await client.waitForCount(1, isFresh, { from: client.frames.length });
    await client.close();
    const backendsOut = stack.use(await WsClient.connect(readerUrl(first)));
    backend.setAll("hang");
    await backendsOut.waitForCode("CIRCUIT_OPEN");

    const [second] = await startHubs([config], stack);
    assert(second);
    await untilRole(second, "follower");
    const { status, body } = await ask(second, "/snapshot/system_status");
    assertEquals(status, 200, "before any poll of its own");
    assertEquals(body.is_stale, true, "nothing known to be out is called fresh");
    const back = stack.use(await WsClient.connect(readerUrl(second, resume)));
    assertEquals(back.frames[0]?.data.recovered, true);
    await back.waitFor(({ data }) => data.n === 5);
    assertEquals(notified(back.frames), [2, 3, 4, 5]);

    first.signal("SIGKILL");
    await untilRole(second, "leader", TAKEOVER_MS);
    backend.setAll("ok");
    await back.waitForCode("RPC_RECOVERED");
    await back.waitForCount(1, isFresh, { from: back.frames.length });
    const circuits = back.codes.filter((code) => code === "CIRCUIT_OPEN");
    assertEquals(circuits.length, 1, "once in the cluster, replayed to whoever missed it");
  },
});

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
      await nats.kill();
      for (const [at, client] of clients.entries()) {
        const lost = await client.waitForCode("CLUSTER_LOST", { from: from[at] ?? 0 });
        assertEquals([lost.type, lost.data.component], ["connection_error", "hub"]);
        const lostAt = client.frames.indexOf(lost);
        await client.waitFor(isStale, { from: lostAt });
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
      assertEquals(witness.codes, []);
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
    assertOnePoller(witness.frames);
  },
});

Deno.test({
  name: "a hub that finds no engine says why, and serves by itself after the grace time",
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
    const [hub] = await startHubs([config], stack);
    assert(hub);
    const client = stack.use(await WsClient.connect(readerUrl(hub)));
    await client.waitForCode("CLUSTER_LOST");
    const { status, body } = await ask(hub, "/readyz");
    if ((await statusOf(hub)).cluster.role !== "alone") {
      assertEquals(status, 503, "nothing was polled yet");
      assert(JSON.stringify(body).includes("cluster"), JSON.stringify(body));
    }
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

/** Three hubs, each with a backend of its own, so that it can be told which of them polls. */
async function threeHubs(stack: AsyncDisposableStack, also: { cluster?: object } = {}) {
  const nats = stack.use(await NatsServer.start());
  const backends = [1, 2, 3].map(() => stack.use(new RpcBackend()));
  const configs = backends.map(({ url }) =>
    clusterConfig({ nats: nats.url, backend: url, ...also })
  );
  return { nats, backends, hubs: await startHubs(configs, stack) };
}

async function clientsOf(hubs: readonly HubProcess[], stack: AsyncDisposableStack) {
  const clients = await Promise.all(hubs.map((hub) => WsClient.connect(readerUrl(hub))));
  for (const client of clients) stack.use(client);
  return clients;
}

/** Publishes until it is certain that the cluster has it: it may come twice then. */
async function publishUntilTaken(hub: HubProcess, data: object): Promise<void> {
  const lateAt = performance.now() + ELECTION_MS;
  while ((await publishAt(hub, data)).status !== 202) {
    assertLess(performance.now(), lateAt, "the engine takes nothing");
  }
}

function resumeOf({ session, frames }: WsClient) {
  const { epoch, seq } = frames[0]?.data ?? {};
  const since = frames.findLast(({ type }) => type === "notification")?.seq ?? seq;
  return { session, epoch: String(epoch), since: String(since) };
}

function isFresh({ type, data }: Heard): boolean {
  return type === "system_status" && data.is_stale === false;
}

function isStale({ type, data }: Heard): boolean {
  return type === "system_status" && data.is_stale === true;
}

function seqs(frames: readonly Heard[]): number[] {
  return frames.flatMap(({ seq }) => seq ?? []);
}

/** The numbered notifications in the order in which they came. */
function notified(frames: readonly Heard[]): number[] {
  return frames.flatMap(({ type, data }) =>
    type === "notification" && typeof data.n === "number" ? data.n : []
  );
}

function seqOfNotification({ frames }: WsClient, n: number): number {
  return frames.find(({ type, data }) => type === "notification" && data.n === n)?.seq ?? 0;
}

function lastWelcome({ frames }: WsClient): Heard {
  const welcome = frames.findLast(({ type }) => type === "welcome");
  assert(welcome);
  return welcome;
}

function welcomesOf({ frames }: WsClient): number {
  return frames.filter(({ type }) => type === "welcome").length;
}

/** What was said under each number up to this one. */
function numberedValues(frames: readonly Heard[], last: number): Map<number, string> {
  const said = new Map<number, string>();
  for (const { type, seq, data } of frames) {
    if (seq !== undefined && seq <= last) said.set(seq, `${type} ${JSON.stringify(data.data)}`);
  }
  return said;
}

function assertSameWhereBoth(one: Map<number, string> | undefined, other: Map<number, string>) {
  const both = [...one ?? []].filter(([seq]) => other.has(seq));
  assertGreater(both.length, 3);
  for (const [seq, text] of both) assertEquals(other.get(seq), text, `number ${seq}`);
}

function assertAscending(frames: readonly Heard[]): void {
  const numbers = seqs(frames);
  assertEquals(numbers, [...numbers].sort((a, b) => a - b));
  assertEquals(new Set(numbers).size, numbers.length, "no number twice");
}

/** Between one welcome and the next. */
function assertAscendingInEachEpoch(frames: readonly Heard[]): void {
  const starts = frames.flatMap(({ type }, at) => type === "welcome" ? at : []);
  for (const [nth, start] of starts.entries()) {
    assertAscending(frames.slice(start, starts[nth + 1]));
  }
}

/** No value is followed by one from long before: hubs that take over from each other poll apart. */
function assertNeverOlder(frames: readonly Heard[]): void {
  let newest = 0;
  for (const { type, data } of frames) {
    if (type !== "system_status") continue;
    assert(data.cached_at >= newest - 1, `a value of ${data.cached_at} after one of ${newest}`);
    newest = data.cached_at;
  }
}

/** All values come from one backend: each hub has its own, and theirs count differently. */
function assertOnePoller(frames: readonly Heard[]): void {
  const values = frames.filter(isFresh).map(({ data }) => Number(data.data.n));
  const steps = values.slice(1).map((n, at) => n - (values[at] ?? n));
  assertEquals(steps.filter((step) => step !== 1 && step !== 0), [], `values ${values.join(" ")}`);
}
