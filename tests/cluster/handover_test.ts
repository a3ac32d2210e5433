import { Handover } from "../../src/cluster/handover.ts";
import { assertEquals } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { three } from "./cluster_bench.ts";

const SOON_MS = 20_000;

Deno.test("C58: a leader that does not reach its backend makes room for a hub that does", async () => {
  const { bench, one, two, three: last } = await three();
  await using _bench = bench;
  one.reachesCore = false;
  two.reachesCore = false;
  await bench.clock.advance(SOON_MS);
  assertEquals(bench.roles, ["follower", "follower", "leader"]);
  assertEquals(bench.pollers, [last]);
  // Nobody reaches it now: there is nothing to gain, and the lead stays.
  last.reachesCore = false;
  await bench.clock.advance(5 * SOON_MS);
  assertEquals(bench.roles, ["follower", "follower", "leader"]);
});

Deno.test("C58: two hubs that reach a backend by turns do not pass the lead to and fro", async () => {
  const { bench, one, two, three: last } = await three();
  await using _bench = bench;
  let changes = 0;
  let before = "leader";
  for (let turn = 0; turn < 60; turn++) {
    one.reachesCore = turn % 2 === 0;
    two.reachesCore = !one.reachesCore;
    last.reachesCore = false;
    await bench.clock.advance(10_000);
    if (one.role !== before) changes += 1;
    before = one.role;
  }
  // In ten minutes: each hub lets the other lead for a minute, then two, then four.
  assertEquals(changes <= 6, true, `${changes} changes`);
});

Deno.test("C58: the leader of a hub that was handed the lead and died is another, at once", async () => {
  const { bench, one, two, three: last } = await three();
  await using _bench = bench;
  one.reachesCore = two.reachesCore = false;
  await bench.clock.advance(SOON_MS);
  assertEquals(last.role, "leader");
  await last.cluster[Symbol.asyncDispose]();
  await bench.clock.advance(SOON_MS);
  assertEquals([one.role, two.role].filter((role) => role === "leader").length, 1);
});

Deno.test("Handover gives nothing away to a hub that reaches less, or not what is out", () => {
  const clock = new FakeClock();
  const resigned: string[] = [];
  const handover = new Handover({
    clock,
    hub: "one",
    probe: () => Promise.resolve(true),
    backends: () => ({ a: { state: "closed" }, b: { state: "open" }, c: { state: "open" } }),
    resign: (to) => resigned.push(to),
    standAside: () => {},
  });
  const heard = (hub: string, reaches: string[]) =>
    handover.heard({ hub, role: "follower", clients: 0, reaches });
  heard("two", ["a"]);
  heard("two", ["b", "c"]);
  heard("two", []);
  assertEquals(resigned, []);
  heard("three", ["a", "c"]);
  assertEquals(resigned, ["three"]);
});
