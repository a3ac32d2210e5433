import { judgeStatus } from "../../../src/cli/probe/paths.ts";
import { assertEquals, assertStringIncludes } from "../../support/assert.ts";

const STATUS = {
  version: "1.2.3",
  uptime_seconds: 5,
  total_clients: 1,
  error_count: 0,
  slow_client_drops: 0,
  read_errors: 0,
  write_errors: 0,
  errors_by_code: {},
  backends: { core: { state: "closed", consecutive_failures: 0, retry_after_ms: 0 } },
  sources: { cpu: { last_success: null, last_error: null, is_stale: true, age_ms: null } },
};

const CLUSTER = {
  role: "follower",
  hub: "b",
  connected: true,
  clients_connected: 4,
  hubs: [{ hub: "b", role: "follower", clients: 0 }, { hub: "a", role: "leader", clients: 4 }],
};

function judged(changes: object): string {
  const reply = { ok: true, status: 200, body: { ...STATUS, ...changes } } as const;
  const { verdict, seen } = judgeStatus(reply as unknown as Parameters<typeof judgeStatus>[0]);
  return `${verdict}: ${seen}`;
}

Deno.test("judgeStatus() counts backends and sources, and says the place among several hubs", () => {
  assertEquals(judged({}), "ok: version 1.2.3, 1 backends, 1 sources");
  assertEquals(
    judged({ cluster: CLUSTER }),
    "ok: version 1.2.3, 1 backends, 1 sources, follower among 2 hubs",
  );
});

Deno.test("judgeStatus() takes a hub for empty only if no other can have answered", () => {
  const empty = { total_clients: 0 };
  assertStringIncludes(judged(empty), "total_clients is 0 although");
  const [self] = CLUSTER.hubs;
  assertStringIncludes(
    judged({ ...empty, cluster: { ...CLUSTER, hubs: [self] } }),
    "is 0 although",
  );
  assertStringIncludes(judged({ ...empty, cluster: CLUSTER }), "ok: ");
});

Deno.test("judgeStatus() finds what is wrong with a cluster's report", () => {
  const wrong: readonly (readonly [unknown, string])[] = [
    [7, "cluster is 7, not an object"],
    [{ ...CLUSTER, role: "king" }, 'cluster.role is "king"'],
    [{ ...CLUSTER, connected: 1 }, "cluster.connected is 1"],
    [{ ...CLUSTER, clients_connected: -1 }, "cluster.clients_connected is -1"],
    [{ ...CLUSTER, hubs: [] }, "cluster.hubs is []"],
  ];
  for (const [cluster, fault] of wrong) assertEquals(judged({ cluster }), `FAIL: ${fault}`);
});
