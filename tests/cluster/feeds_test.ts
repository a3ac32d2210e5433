import { differences, feedOf, objection } from "../../src/cluster/feeds.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { FakeServer } from "./nats/fake_server.ts";
import { ClusterBench, GRACE_MS, LEASE_MS } from "./cluster_bench.ts";

const source = { backend: "core", method: "GetSystemStatus" };

Deno.test("C62: objection() is to a hub that feeds nothing alike, and to no other", () => {
  const feed = feedOf(source);
  assertEquals(feed, feedOf({ ...source, params: {} }));
  assert(feed !== feedOf({ ...source, params: { all: true } }));
  assertEquals(objection({ a: feed, b: "x" }, { a: feed, c: "y" }), undefined, "a rollout");
  assertEquals(differences({ a: feed, b: "x" }, { a: feed, c: "y" }), ["b", "c"]);
  assertEquals(objection({}, { a: feed }), undefined, "it only publishes");
  const why = objection({ a: feed, z: "z" }, { a: "other", b: "x" });
  assert(why?.includes("feeds a, b, this hub a, z"), why);
});

Deno.test("C62: a hub of another installation does not join, says why, and takes nothing", async () => {
  await using bench = new ClusterBench();
  const one = await bench.join("one");
  assertEquals(one.role, "leader");
  const stranger = await bench.join("stranger", { feeds: { b: "otherwise" } });
  await bench.clock.advance(GRACE_MS + 3000);
  assertEquals([one.role, stranger.role], ["leader", "alone"]);
  const { why, connected } = stranger.cluster.report();
  assert(!connected && why?.includes("another installation"), why);
  // The leader's death makes the stream nobody's.
  await one.cluster[Symbol.asyncDispose]();
  await bench.clock.advance(LEASE_MS + 15_000);
  assertEquals(stranger.role, "leader");
  assert(bench.server instanceof FakeServer);
});

Deno.test("C62: a hub that differs in part joins, and says in what", async () => {
  await using bench = new ClusterBench();
  await bench.join("one");
  const two = await bench.join("two", { feeds: { a: "core", c: "new" } });
  assertEquals(two.role, "follower");
  assertEquals(two.cluster.report().differs, ["c"]);
});
