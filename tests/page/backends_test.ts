import { errorEvent } from "../../src/protocol/error_event.ts";
import { type BackendReport, Backends, nextTry } from "../../src/page/hub/backends.ts";
import { assert, assertEquals } from "../support/assert.ts";

const CLOSED: BackendReport = {
  state: "closed",
  consecutive_failures: 0,
  retry_after_ms: 0,
  last_error: null,
};

function opened(backend: string) {
  const data = { backend, retry_after_ms: 30_000 };
  return errorEvent("CIRCUIT_OPEN", "open", { timestamp: 1, data });
}

Deno.test("Backends.hear() opens and closes a breaker before /status tells", () => {
  const backends = new Backends();
  backends.report({ core: CLOSED, other: CLOSED }, 0);
  assertEquals(backends.hear(opened("core"), 1000), true);
  const [core, other] = backends.list;
  assert(core && other);
  assertEquals([core.state, other.state], ["open", "closed"]);
  assertEquals(nextTry(core, 1000), "next try in 30 s");
  assertEquals(nextTry(core, 30_900), "next try in 1 s");
  assertEquals(nextTry(core, 40_000), "next try is due");
  const recovered = errorEvent("RPC_RECOVERED", "up", { timestamp: 2, data: { backend: "core" } });
  assertEquals(backends.hear(recovered, 2000), true);
  assertEquals(backends.list.map(({ state }) => state), ["closed", "closed"]);
  assertEquals(nextTry(backends.list[0] ?? core, 2000), undefined);
});

Deno.test("Backends.report() is believed over what was heard", () => {
  const backends = new Backends();
  backends.hear(opened("gone"), 0);
  const report = { ...CLOSED, state: "half_open", last_error: "refused" } as const;
  backends.report({ core: report }, 0);
  assertEquals(backends.list.map(({ name, lastError }) => [name, lastError]), [[
    "core",
    "refused",
  ]]);
  const [core] = backends.list;
  assertEquals(core && nextTry(core, 0), "being tried now");
});

Deno.test("Backends.behind() learns from errors who feeds a channel", () => {
  const backends = new Backends();
  backends.report({ core: CLOSED, other: CLOSED }, 0);
  assertEquals(backends.behind("storage_update"), undefined);
  const data = { backend: "other", channel: "storage_update" };
  const stale = errorEvent("RPC_UNAVAILABLE", "cached", { timestamp: 1, data });
  assertEquals(backends.hear(stale, 0), false);
  assertEquals(backends.behind("storage_update")?.name, "other");
  assertEquals(backends.behind("system_status"), undefined);
});

Deno.test("Backends.behind() needs no telling where there is one backend", () => {
  const backends = new Backends();
  backends.report({ core: CLOSED }, 0);
  assertEquals(backends.behind("anything")?.name, "core");
});
