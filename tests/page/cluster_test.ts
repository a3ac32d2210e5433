import { describeCluster } from "../../src/page/hub/cluster.ts";
import { assertEquals } from "../support/assert.ts";

const HUBS = [{}, {}, {}];

function said(role: string, connected = true, hubs: readonly unknown[] = HUBS): string {
  const { tone, mark, word, note } = describeCluster({ role, connected, hubs });
  return `${tone} ${mark} ${word}: ${note}`;
}

Deno.test("describeCluster() says who polls, and for how many", () => {
  assertEquals(said("leader"), "good ● Leader: polls for 3 hubs");
  assertEquals(said("follower"), "good ● Follower: one of 3 hubs");
  assertEquals(said("leader", true, [{}]), "good ● Leader: polls; no other hub is there");
});

Deno.test("C63: describeCluster() names the hub, and the one that leads", () => {
  const named = { connected: true, hubs: HUBS, hub: "hub-2", leader: "hub-1" };
  assertEquals(
    describeCluster({ ...named, role: "follower" }).note,
    "hub-2: one of 3 hubs, hub-1 leads",
  );
  assertEquals(
    describeCluster({ ...named, role: "leader", leader: "hub-2" }).note,
    "hub-2: polls for 3 hubs",
  );
  assertEquals(
    describeCluster({ ...named, role: "alone", leader: null }).note,
    "hub-2: polls for itself",
  );
});

Deno.test("describeCluster() tells a hub that was cut off from one that does without", () => {
  for (const role of ["leader", "follower"]) {
    assertEquals(said(role, false), "stale ▲ Cut off: looks for the others");
  }
  assertEquals(said("alone", false), "stale ▲ Alone: polls for itself");
});

Deno.test("describeCluster() bounds a role that a newer hub may have", () => {
  assertEquals(said("x".repeat(500)).length < 60, true);
});
