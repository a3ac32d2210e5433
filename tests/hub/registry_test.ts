import { Registry } from "../../src/hub/registry.ts";
import type { Session } from "../../src/hub/session.ts";
import { assertEquals } from "../support/assert.ts";
import { HubBench } from "../support/hub_bench.ts";

/** Sessions of a hub that a registry of the test's own keeps as well. */
function sessions(bench: HubBench, count: number): Session[] {
  return Array.from({ length: count }, () => {
    const { session } = bench.connect({ channels: [] });
    session.group = undefined;
    return session;
  });
}

function wanting(registry: Registry, type: string): Session[] {
  return [...registry.wanting(type)].flatMap((group) => [...group]);
}

Deno.test("Registry keeps sessions that want the same together, and finds them by type", async () => {
  await using bench = new HubBench();
  const [one, two, three] = sessions(bench, 3) as [Session, Session, Session];
  const registry = new Registry();
  for (const session of [one, two, three]) registry.add(session);
  registry.subscribe(one, ["a", "error"]);
  registry.subscribe(two, ["a", "error"]);
  registry.subscribe(three, ["a"]);
  assertEquals(registry.wanting("a").size, 2);
  assertEquals(wanting(registry, "a"), [one, two, three]);
  assertEquals(wanting(registry, "rpc_error"), [one, two]);
  assertEquals(one.subscriptions, two.subscriptions);
  registry.subscribe(three, ["error", "a"]);
  assertEquals(registry.wanting("a").size, 1, "now they all want the same");
  assertEquals(three.subscriptions.channels, ["a", "error"]);
});

Deno.test("Registry.unsubscribe() moves one session and leaves its cohort as it is", async () => {
  await using bench = new HubBench();
  const [one, two] = sessions(bench, 2) as [Session, Session];
  const registry = new Registry();
  for (const session of [one, two]) {
    registry.add(session);
    registry.subscribe(session, ["a", "b"]);
  }
  registry.unsubscribe(two, ["b", "never_had"]);
  assertEquals([one.subscriptions.channels, two.subscriptions.channels], [["a", "b"], ["a"]]);
  assertEquals(wanting(registry, "b"), [one]);
  assertEquals(new Set(wanting(registry, "a")), new Set([one, two]));
});

Deno.test("Registry.remove() forgets a session once, and types that nobody wants any more", async () => {
  await using bench = new HubBench();
  const [one, two] = sessions(bench, 2) as [Session, Session];
  const registry = new Registry();
  for (const session of [one, two]) {
    registry.add(session);
    registry.subscribe(session, ["a"]);
  }
  assertEquals([registry.remove(one), registry.remove(one)], [true, false]);
  assertEquals(wanting(registry, "a"), [two]);
  assertEquals(one.subscriptions.channels, ["a"], "what it had is still to be read");
  registry.remove(two);
  assertEquals([registry.size, registry.wanting("a").size], [0, 0]);
});
