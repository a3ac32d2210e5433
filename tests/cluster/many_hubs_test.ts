/** C64: what 50 hubs cost that come together. */
import { assert, assertEquals, assertLess } from "../support/assert.ts";
import { say } from "../support/seed.ts";
import { ClusterBench, GRACE_MS, LEASE_MS, type Member } from "./cluster_bench.ts";

const HUBS = 50;

async function joined(bench: ClusterBench): Promise<Member[]> {
  for (let nth = 0; nth < HUBS; nth++) void bench.join(`hub-${nth}`);
  await bench.clock.advance(3000);
  assertEquals(bench.roles.filter((role) => role === "leader").length, 1);
  assertEquals(bench.roles.filter((role) => role === "follower").length, HUBS - 1);
  return bench.members;
}

Deno.test("C64: 50 hubs that come back together each read what they missed, not the whole stream", async () => {
  await using bench = new ClusterBench();
  const members = await joined(bench);
  for (let n = 0; n < 400; n++) await members[n % HUBS]?.publish(n);
  await bench.clock.advance(100);
  const kept = bench.server.entries.length;
  assert(kept >= 400);
  const clients = members.map(({ hubs }) => hubs.connect());
  bench.server.crash();
  await bench.clock.advance(GRACE_MS + 1000);
  assertEquals(new Set(bench.roles), new Set(["alone"]));
  bench.server.isDown = false;
  const before = { read: bench.server.read, heard: bench.server.saidAndHeard };
  await bench.clock.advance(5000);
  assertEquals(bench.roles.filter((role) => role === "follower").length, HUBS - 1);
  const read = bench.server.read - before.read;
  const heard = bench.server.saidAndHeard - before.heard;
  const written = bench.server.entries.length - kept;
  say(
    `many hubs: ${HUBS} came back to ${kept} entries and read ${read}, ${written} of them new; ${heard} said`,
  );
  // Each reads what was written since, and nothing of what it has had.
  assertLess(read, HUBS * (written + 5));
  // Each asks all once, every one answers whoever asked, and all say every two seconds that they are there.
  assertLess(heard, HUBS * HUBS * (1 + 1 + 4));
  for (const { transport } of clients) {
    assertEquals(
      transport.frames.filter(({ type, data }) => type === "welcome" && data.gap).length,
      0,
    );
  }
});

Deno.test("C64: departures of a hub that stops are told together, and known to the others", async () => {
  await using bench = new ClusterBench();
  const [one, two] = [await bench.join("one"), await bench.join("two")];
  const clients = Array.from({ length: 1200 }, () => one.hubs.connect());
  await bench.clock.advance(LEASE_MS);
  const before = bench.server.saidAndHeard;
  for (const { session } of clients) {
    one.cluster.tellDeparture({
      session: session.id,
      epoch: one.hubs.hub.epoch,
      progress: session.progress.toRecord(),
    });
  }
  await bench.clock.advance(50);
  const heard = bench.server.saidAndHeard - before;
  assert(heard > 0 && heard < 20, `${heard} messages`);
  assertEquals(two.role, "follower");
});
