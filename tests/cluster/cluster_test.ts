import { decodeEntry, encodeEntry } from "../../src/cluster/entry.ts";
import { errorEvent } from "../../src/protocol/error_event.ts";
import type { JsonText } from "../../src/protocol/codec.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { event } from "./entries.ts";
import { ClusterBench, GRACE_MS, LEASE_MS, three } from "./cluster_bench.ts";

/** Longest time until a hub has tried to connect, or to lead, in milliseconds. */
const SOON_MS = 3000;

Deno.test("Cluster has one leader, who polls; all show what it says, under the same numbers", async () => {
  const { bench, one, two, three: last } = await three();
  await using _bench = bench;
  assertEquals(bench.roles, ["leader", "follower", "follower"]);
  assertEquals(bench.pollers, [one]);
  const clients = bench.members.map(({ hubs }) => hubs.connect());
  one.poll(1);
  two.poll(2);
  const { seq } = await last.publish(1);
  await bench.clock.advance(10);
  const told = clients.map(({ transport }) =>
    transport.frames.flatMap(({ type, seq }) => seq === undefined ? [] : `${type} ${seq}`)
  );
  assertEquals(told[0]?.length, 2);
  assert(told[0]?.includes(`notification ${seq}`));
  assertEquals(told, [told[0], told[0], told[0]] as never);
  assertEquals(two.values.read("a")?.data, "1" as never);
  assertEquals(new Set(bench.members.map(({ hubs }) => hubs.hub.epoch)).size, 1);
  await bench.clock.advance(2000);
  assertEquals(two.cluster.leadersBackends(), { core: { state: "one" } });
  assertEquals(last.cluster.report().clients_connected, 3);
});

Deno.test("Cluster hands over at once when its leader retires, and the next goes on with what it left", async () => {
  const { bench, one, two, three: last } = await three();
  await using _bench = bench;
  one.poll(7);
  one.cluster.error(
    errorEvent("CIRCUIT_OPEN", "of a test", { timestamp: 5, data: { backend: "core" } }),
  );
  const { epoch } = one.hubs.hub;
  const retired = one.cluster.retire();
  await bench.clock.advance(100);
  await retired;
  const next = [two, last].find(({ role }) => role === "leader");
  assert(next);
  assertEquals(next.values.read("a")?.data, "7" as never);
  assertEquals([...next.inherited ?? []], ["core"]);
  assertEquals(next.hubs.hub.epoch, epoch);
  assert(one.role !== "leader", `the one that retired is a ${one.role}`);
});

Deno.test("Cluster replaces a leader that is gone, and the stream goes on where it was", async () => {
  const { bench, one, two } = await three();
  await using _bench = bench;
  one.poll(1);
  await bench.clock.advance(10);
  const { epoch, seq } = two.hubs.hub;
  // It stands still: nothing is asked any more, and nothing answered.
  const [broker] = bench.server.brokers;
  assert(broker);
  broker.isUnanswered = true;
  await bench.clock.advance(LEASE_MS + SOON_MS);
  const [next] = bench.pollers.filter((member) => member !== one);
  assert(next);
  assertEquals(next.hubs.hub.epoch, epoch);
  assert(next.hubs.hub.seq > seq);
  broker.isUnanswered = false;
  await bench.clock.advance(SOON_MS);
  assertEquals(bench.pollers, [next], "the one before has noticed");
  assertEquals([...bench.roles].sort(), ["follower", "follower", "leader"]);
});

Deno.test("Cluster without its broker: a blink changes nothing, then all is stale, then each is alone", async () => {
  const { bench, one, two } = await three();
  await using _bench = bench;
  const client = two.hubs.connect();
  one.poll(1);
  await bench.clock.advance(10);
  const since = () => client.transport.frames.slice(3).map(({ type, data }) => data.code ?? type);
  bench.server.crash();
  bench.server.isDown = false;
  await bench.clock.advance(900);
  assertEquals(since(), [], "a blink");
  assertEquals([...bench.roles].sort(), ["follower", "follower", "leader"]);
  await bench.clock.advance(SOON_MS);

  const before = client.transport.frames.length;
  const later = () => client.transport.frames.slice(before);
  bench.server.crash();
  await bench.clock.advance(1000);
  assertEquals(later().map(({ type, data }) => data.code ?? type), ["CLUSTER_LOST", "a"]);
  assertEquals(later()[1]?.data.is_stale, true);
  await assertRejects(() => two.publish(1));
  await bench.clock.advance(GRACE_MS - 1000);
  assertEquals(bench.roles, ["alone", "alone", "alone"]);
  assertEquals(bench.pollers.length, 3);
  assertEquals(later()[2]?.type, "welcome");
  two.poll(5);
  assertEquals(client.transport.frames.at(-1)?.data.data, 5);
  assertEquals((await two.publish(1)).shared, false, "so far its own alone");

  bench.server.isDown = false;
  await bench.clock.advance(SOON_MS);
  assertEquals([...bench.roles].sort(), ["follower", "follower", "leader"]);
  assertEquals(bench.pollers.length, 1);
  assertEquals(new Set(bench.members.map(({ hubs }) => hubs.hub.epoch)).size, 1);
  assertEquals(
    client.transport.frames.filter(({ data }) => data.code === "CLUSTER_RECOVERED").length,
    1,
  );
  const shown = client.transport.frames.findLast(({ type }) => type === "a");
  assertEquals(shown?.data.data, 5, "nothing older than it had");
});

Deno.test("Cluster: who led before a short absence does not lead after it if another does", async () => {
  await using bench = new ClusterBench();
  const one = await bench.join("one", { graceMs: 60_000 });
  const two = await bench.join("two");
  const [broker] = bench.server.brokers;
  one.isCutOff = true;
  broker?.lose("connection reset");
  await bench.clock.advance(LEASE_MS + SOON_MS);
  assertEquals([two.role, one.isPolling], ["leader", true], "nobody has told it");
  one.isCutOff = false;
  await bench.clock.advance(SOON_MS);
  assertEquals([bench.roles, bench.pollers], [["follower", "leader"], [two]]);
  two.poll(1);
  one.poll(2);
  await bench.clock.advance(10);
  assertEquals(one.values.read("a")?.data, "1" as never);
});

Deno.test("Cluster is not ready before it has joined or is alone, and says why", async () => {
  const bench = new ClusterBench();
  await using _bench = bench;
  bench.server.isDown = true;
  const one = await bench.join("one");
  assert(one.cluster.notReady?.includes("connection refused"), one.cluster.notReady);
  await bench.clock.advance(2000);
  assert(one.cluster.notReady !== undefined, "told, but nothing to show yet");
  await bench.clock.advance(GRACE_MS);
  assertEquals([one.cluster.notReady, one.role], [undefined, "alone"]);
  bench.server.isDown = false;
  await bench.clock.advance(SOON_MS);
  assertEquals([one.cluster.notReady, one.role], [undefined, "leader"]);
  bench.server.crash();
  await bench.clock.advance(2000);
  assertEquals(one.cluster.notReady, undefined, "it still has what it had");
});

Deno.test("Cluster begins a new epoch with a stream made anew", async () => {
  const { bench, two } = await three();
  await using _bench = bench;
  const client = two.hubs.connect();
  await two.publish(1);
  await bench.clock.advance(10);
  const before = two.hubs.hub.epoch;
  bench.server.crash();
  bench.server.wipe();
  bench.server.isDown = false;
  await bench.clock.advance(SOON_MS);
  assertEquals([...bench.roles].sort(), ["follower", "follower", "leader"]);
  const epochs = new Set(bench.members.map(({ hubs }) => hubs.hub.epoch));
  assertEquals([epochs.size, epochs.has(before)], [1, false]);
  const welcome = client.transport.frames.findLast(({ type }) => type === "welcome");
  assertEquals([welcome?.data.gap, welcome?.data.epoch], [true, two.hubs.hub.epoch]);
});

Deno.test("Cluster shows a value grown old when its leader says nothing", async () => {
  const { bench, one, two } = await three();
  await using _bench = bench;
  const client = two.hubs.connect({ channels: ["a"] });
  one.poll(1);
  await bench.clock.advance(14_900);
  assertEquals(client.transport.frames.at(-1)?.data.is_stale, false);
  await bench.clock.advance(200);
  assertEquals(client.transport.frames.at(-1)?.data.is_stale, true);
});

Deno.test("C15: Cluster: what was published alone is not undone by what is older, back and alone again", async () => {
  const { bench, one, two } = await three();
  await using _bench = bench;
  const client = two.hubs.connect({ channels: ["b"] });
  await one.publishValue("b", "OLD");
  await bench.clock.advance(1000);
  assertEquals(client.transport.frames.at(-1)?.data.data, "OLD");
  bench.server.crash();
  await bench.clock.advance(GRACE_MS + SOON_MS);
  assertEquals(two.role, "alone");
  await two.publishValue("b", "NEW");
  const before = client.transport.frames.length;
  bench.server.isDown = false;
  await bench.clock.advance(SOON_MS);
  assertEquals([...bench.roles].sort(), ["follower", "follower", "leader"]);
  bench.server.crash();
  await bench.clock.advance(GRACE_MS + SOON_MS);
  const shown = client.transport.frames.slice(before - 1).filter(({ type }) => type === "b");
  assertEquals([...new Set(shown.map(({ data }) => data.data))], ["NEW"]);
  assertEquals(two.values.read("b")?.data, `"NEW"` as never);
});

Deno.test("Cluster: a leader out of reach of the others goes on telling its own clients what it polls", async () => {
  const { bench, one } = await three();
  await using _bench = bench;
  const client = one.hubs.connect({ channels: ["a"] });
  one.poll(1);
  await bench.clock.advance(10);
  bench.server.crash();
  await bench.clock.advance(1500);
  assertEquals(client.transport.frames.at(-1)?.data.is_stale, true);
  one.poll(2);
  const { data } = client.transport.frames.at(-1) ?? {};
  assertEquals([data?.data, data?.is_stale], [2, false]);
});

Deno.test("C51: Cluster: what the others cannot have is not kept, until the hub is alone", async () => {
  await using bench = new ClusterBench();
  bench.server.maxBytes = 10_000;
  const one = await bench.join("one");
  const client = one.hubs.connect({ channels: ["a"] });
  one.poll("good");
  await bench.clock.advance(10);
  const large = "ü".repeat(4000); // 8,000 bytes, and the entry's head
  one.poll(large);
  assertEquals(one.values.read("a")?.data, `"good"` as never);
  assertEquals(
    one.values.whyTooLarge(JSON.stringify(large) as JsonText),
    "it is 8002 bytes, and hubs can share 5904 (max_payload of NATS)",
  );
  one.values.doubt("a", "it is too large"); // as its source does
  one.show("a");
  await bench.clock.advance(10);
  const { data } = client.transport.frames.at(-1) ?? {};
  assertEquals([data?.data, data?.is_stale], ["good", true]);
  bench.server.crash();
  await bench.clock.advance(GRACE_MS + SOON_MS);
  one.poll(large);
  assertEquals(one.values.read("a")?.is_stale, false);
});

Deno.test("Cluster.askToPoll() has the hub that leads poll at once", async () => {
  const { bench, one, two } = await three();
  await using _bench = bench;
  two.cluster.askToPoll(["a"]);
  await bench.clock.advance(10);
  assertEquals(bench.members.map(({ polledNow }) => polledNow), [["a"], [], []]);
  assertEquals(one.role, "leader");
});

Deno.test("C61: Cluster: a leader's word that does not count, though NATS let it in, stops nobody", async () => {
  const { bench, two } = await three();
  await using _bench = bench;
  const client = two.hubs.connect();
  bench.server.isLax = true;
  const stray = encodeEntry({ kind: "claim", epoch: "stray", term: 1, after: 0, hub: "stray" });
  bench.server.store(stray, { as: "leader", id: "stray", fence: 0 });
  bench.server.isLax = false;
  await bench.clock.advance(LEASE_MS); // before anybody takes the leader for silent
  for (const member of bench.members) member.poll("new");
  await bench.clock.advance(1000);
  assertEquals([...bench.roles].sort(), ["follower", "follower", "leader"]);
  assertEquals(client.transport.frames.at(-1)?.data.data, "new");
  assertEquals(client.transport.frames.filter(({ data }) => data.gap).length, 0);
});

Deno.test("C61: Cluster: what was acknowledged and lost is told as a gap to the clients of all, once", async () => {
  const { bench, two } = await three();
  await using _bench = bench;
  const clients = bench.members.map(({ hubs }) => hubs.connect());
  const [, broker] = [...bench.server.brokers];
  assert(broker);
  const { last } = bench.server.state;
  broker.isDeaf = true;
  for (let n = 0; n < 3; n++) await two.publish(n);
  // Of three servers the two that go on never had it.
  bench.server.loseAfter(last);
  broker.isDeaf = false;
  for (let n = 3; n < 9; n++) {
    bench.server.store(encodeEntry(event(n)), { as: "anyone", id: `${n}` });
  }
  await bench.clock.advance(20_000);
  const gaps = bench.server.entries.filter(({ text }) => decodeEntry(text)?.kind === "gap");
  assertEquals(gaps.length, 1);
  for (const { transport } of clients) {
    assert(transport.frames.some(({ type, data }) => type === "welcome" && data.gap));
  }
  assertEquals([...bench.roles].sort(), ["follower", "follower", "leader"]);
});
