/** C54: whatever the broker refuses, each hub relays a leader that works or polls for itself. */
import { CATCH_UP_MS } from "../../src/cluster/follower.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { type ClusterBench, GRACE_MS, LEASE_MS, three } from "./cluster_bench.ts";

/** After so long without a leader's word a hub has given its broker up, in milliseconds. */
const SILENT_MS = LEASE_MS + 3000;

const SOON_MS = 4000;

interface Misfortune {
  readonly name: string;
  readonly begins: (bench: ClusterBench) => void;
  readonly ends: (bench: ClusterBench) => void;
}

const MISFORTUNES: readonly Misfortune[] = [
  {
    name: "the stream is full or read-only",
    begins: ({ server }) => server.refuses = "maximum messages exceeded",
    ends: ({ server }) => server.refuses = undefined,
  },
  {
    name: "the lease's bucket is gone",
    begins: ({ server }) => server.isLeaseGone = true,
    ends: ({ server }) => server.isLeaseGone = false,
  },
  {
    name: "what is stored reaches no reader",
    begins: ({ server }) => server.isMute = true,
    ends: ({ server }) => server.isMute = false,
  },
];

for (const { name, begins, ends } of MISFORTUNES) {
  Deno.test(`C54: hubs poll for themselves after grace and say so while ${name}, and come back`, async () => {
    const { bench, one, two } = await three();
    await using _bench = bench;
    const client = two.hubs.connect();
    one.poll(1);
    await bench.clock.advance(10);
    begins(bench);
    const codes = () => client.transport.frames.flatMap(({ data }) => data.code ?? []);
    await bench.clock.advance(SILENT_MS + GRACE_MS);
    assertEquals(bench.roles, ["alone", "alone", "alone"]);
    assertEquals(bench.pollers.length, 3);
    assertEquals(codes(), ["CLUSTER_LOST"]);
    // No hub comes and goes while nothing can be done.
    const frames = client.transport.frames.length;
    await bench.clock.advance(60_000);
    assertEquals(bench.roles, ["alone", "alone", "alone"]);
    assertEquals(client.transport.frames.length, frames);
    two.poll(2);
    assertEquals(client.transport.frames.at(-1)?.data.data, 2);
    ends(bench);
    await bench.clock.advance(CATCH_UP_MS + LEASE_MS + SOON_MS);
    assertEquals([...bench.roles].sort(), ["follower", "follower", "leader"]);
    assertEquals(bench.pollers.length, 1);
    assertEquals(codes(), ["CLUSTER_LOST", "CLUSTER_RECOVERED"]);
  });
}

Deno.test("C54: a leader without anything to say is heard all the same", async () => {
  const { bench } = await three();
  await using _bench = bench;
  await bench.clock.advance(120_000);
  assertEquals(bench.roles, ["leader", "follower", "follower"]);
});

Deno.test("C47: of hubs one of which cannot poll, one that can leads", async () => {
  const { bench, one, two } = await three();
  await using _bench = bench;
  two.cannotPoll = "jobs.proto cannot be read";
  const retired = one.cluster.retire();
  await bench.clock.advance(LEASE_MS + SOON_MS);
  await retired;
  assertEquals(bench.roles, ["follower", "follower", "leader"]);
});

Deno.test("C47: a leader whose configuration fails has the lead taken over by one that polls", async () => {
  const { bench, one, two, three: last } = await three();
  await using _bench = bench;
  for (const member of [two, last]) member.cannotPoll = "broken";
  const retired = one.cluster.retire();
  await bench.clock.advance(SOON_MS);
  await retired;
  assertEquals(bench.roles.includes("leader"), false, `${bench.roles}`);
  assert([two, last].some(({ cluster }) => cluster.report().why?.includes("broken")));
  last.cannotPoll = undefined;
  await bench.clock.advance(40_000);
  assertEquals(last.role === "leader" || last.role === "alone", true, last.role);
  assertEquals(last.isPolling, true);
});

Deno.test("C47: a hub in its drain does not lead, though its broker comes back meanwhile", async () => {
  const { bench, one, two, three: last } = await three();
  await using _bench = bench;
  for (const member of [two, last]) member.isCutOff = true;
  bench.server.crash();
  await bench.clock.advance(2000);
  await one.cluster.retire(); // nobody is there to tell
  bench.server.isDown = false;
  await bench.clock.advance(SOON_MS);
  assert(one.role !== "leader" && bench.server.holder === undefined, `${one.role}`);
});
