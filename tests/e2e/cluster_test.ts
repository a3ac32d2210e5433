/** Several hubs as users run them, sharing one stream on a real NATS server. */
// @ts-types="../../src/std_types/delay.d.ts"
import { delay } from "@std/async/delay";
import { assert, assertEquals, assertGreater, assertLess } from "../support/assert.ts";
import {
  assertAscending,
  assertOnePoller,
  isFresh,
  notified,
  seqs,
  welcomesOf,
} from "../support/cluster_frames.ts";
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
import type { IncidentReport } from "../../src/protocol/incident.ts";
import { STANDSTILL_MS } from "../../src/values/value_store.ts";
import { quickSource } from "../support/hub_config.ts";
import { hasNatsServer, NatsServer } from "../support/nats.ts";
import { RpcBackend } from "../support/rpc_backend.ts";
import { PATIENCE_MS } from "../support/until.ts";
import { clientsOf, resumeOf, threeHubs } from "../support/three_hubs.ts";
import type { HubProcess } from "../support/hub_process.ts";
import { type Heard, WsClient } from "../support/ws_client.ts";

const ignore = !hasNatsServer();

/** How long a takeover may take where a lease lasts a second, on a machine busy with other things. */
const TAKEOVER_MS = 10_000;

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
  name: "an incident is the same one at whichever hub is asked",
  ignore,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const nats = stack.use(await NatsServer.start());
    const backend = stack.use(new RpcBackend());
    const config = clusterConfig({ nats: nats.url, backend: backend.url });
    const hubs = await startHubs([config, config], stack);
    await untilLed(hubs);
    for (const hub of hubs) {
      await untilStatus(hub, ({ sources }) => sources["system_status"]?.is_stale === false);
    }
    backend.setAll("http_500");
    const journals = await Promise.all(hubs.map((hub) => untilIncidents(hub, "lasts")));
    assertEquals(journals[0]?.map(({ kind }) => kind), ["backend_down", "source_stale"]);
    assertEquals(journals[0], journals[1]);
    backend.setAll("ok");
    const ended = await Promise.all(hubs.map((hub) => untilIncidents(hub, "over")));
    assertEquals(ended[0], ended[1]);
    assertEquals(ended[0]?.map(({ id }) => id), journals[0]?.map(({ id }) => id));
  },
});

/** What a hub's journal says of a backend and its channel, once both last, or are over. */
async function untilIncidents(hub: HubProcess, until: "lasts" | "over") {
  for (let left = PATIENCE_MS; left > 0; left -= 50) {
    const { body } = await ask(hub, "/incidents");
    const incidents = (body.incidents as IncidentReport[]).filter(({ ended_at }) =>
      (ended_at === null) === (until === "lasts")
    );
    if (incidents.length === 2) {
      return incidents.map(({ id, kind, cause }) => ({ id, kind, cause }))
        .sort((a, b) => a.kind < b.kind ? -1 : 1);
    }
    await delay(50);
  }
  throw new Error(`no two incidents that are ${until} at ${hub.url}`);
}

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

for (const who of ["follower", "leader"] as const) {
  Deno.test({
    name: `C43: what a ${who} that was halted tells of the time before is neither fresh nor young`,
    ignore,
    async fn() {
      await using stack = new AsyncDisposableStack();
      await using nats = await NatsServer.start();
      await using backend = new RpcBackend();
      // So long that nothing is stale by age: only the halt is left.
      const sources = [quickSource("system_status", "core", { stale_after: "10m" })];
      const config = clusterConfig({ nats: nats.url, backend: backend.url, also: { sources } });
      const hubs = await startHubs([config, config], stack);
      const { leader, followers: [follower] } = await untilLed(hubs);
      const halted = who === "leader" ? leader : follower;
      assert(halted);
      const client = stack.use(await WsClient.connect(readerUrl(halted)));
      await client.waitForCount(2, isFresh);
      /** When the backend was asked for each of its values. */
      const askedAt = new Map<number, number>();
      const watch = setInterval(() => {
        const n = backend.calls();
        if (!askedAt.has(n)) askedAt.set(n, performance.now());
      }, 10);
      try {
        halted.signal("SIGSTOP");
        await delay(STANDSTILL_MS + 1500);
        const from = client.frames.length;
        const before = backend.calls();
        const wokeAt = performance.now();
        halted.signal("SIGCONT");
        await client.waitForCount(3, isFresh, { from });
        const told = client.frames.slice(from).filter(({ type }) => type === "system_status");
        for (const { data: { data, is_stale, age_ms } } of told) {
          const n = Number(data.n);
          if (n > before) continue;
          assertEquals(is_stale, true, `${n} of ${before} is told as fresh, ${age_ms} ms old`);
          const atLeastMs = wokeAt - (askedAt.get(n) ?? wokeAt) - 100;
          assert(age_ms >= atLeastMs, `${n} is said to be ${age_ms} ms old, not ${atLeastMs}`);
        }
      } finally {
        clearInterval(watch);
      }
    },
  });
}

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
    // A busy machine may fail a poll: that is of the backend, and everybody's.
    const codes = witness.codes.filter((code) => !code.startsWith("RPC_"));
    assertEquals(codes, [], "nobody but its own clients need know");
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

function seqOfNotification({ frames }: WsClient, n: number): number {
  return frames.find(({ type, data }) => type === "notification" && data.n === n)?.seq ?? 0;
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

Deno.test({
  name:
    "C58: a leader whose backend is out of its reach alone makes room for a hub that reaches it",
  ignore,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const { backends, hubs } = await threeHubs(stack);
    const { leader } = await untilLed(hubs);
    const clients = await clientsOf(hubs, stack);
    await backends[hubs.indexOf(leader)]?.stop();
    await untilAnotherLeads(hubs, leader);
    for (const client of clients) {
      await client.waitForCount(2, isFresh, { from: client.frames.length });
    }
    assert(
      leader.logs.some(({ event, why }) =>
        event === "cluster.deposed" && /reaches core/.test(`${why}`)
      ),
    );
  },
});

/** Waits until another hub leads. */
async function untilAnotherLeads(hubs: readonly HubProcess[], before: HubProcess): Promise<void> {
  while ((await untilLed(hubs)).leader === before) await delay(100);
}
