import { DEFAULT_CONFIG } from "../../src/config/default.ts";
import { configSchema } from "../../src/config/schema.ts";
import { feedPlan } from "../../src/server/feed_plan.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { ok, ScriptedBackend } from "../support/scripted_backend.ts";

const BACKENDS = { core: { transport: "json-rpc", url: "http://127.0.0.1:9/rpc" } };
const SOURCES = [{ channel: "a", backend: "core", method: "Get", params: { x: 1 } }];

function planOf(changes: Record<string, unknown> = {}) {
  const config = configSchema.parse({ backends: BACKENDS, sources: SOURCES, ...changes });
  const opened: string[] = [];
  const plan = feedPlan(config, (_, name) => {
    opened.push(name);
    return new ScriptedBackend(() => ok(1));
  });
  return { plan, opened };
}

Deno.test("feedPlan() carries the contract's defaults into the feed, in milliseconds", () => {
  const { plan: { backends: [backend], sources } } = planOf();
  assert(backend);
  const { open: _open, identity: _identity, healthCheck, ...rest } = backend;
  assertEquals(rest, {
    name: "core",
    timeoutMs: 5000,
    retry: { attempts: 2, minMs: 100, maxMs: 2000 },
    breaker: { failures: 3, openForMs: 30_000, maxOpenForMs: 300_000 },
  });
  assertEquals([healthCheck.everyMs, healthCheck.timeoutMs], [10_000, 5000]);
  assertEquals(healthCheck.call.method, "GetSystemStatus");
  assertEquals(sources, [{
    channel: "a",
    backend: "core",
    call: { method: "Get", params: { x: 1 } },
    everyMs: 5000,
    staleAfterMs: 15_000,
  }]);
});

Deno.test("feedPlan() opens a backend when its plan comes into force, not before", () => {
  const { plan, opened } = planOf();
  assertEquals(opened, []);
  plan.backends[0]?.open();
  assertEquals(opened, ["core"]);
});

Deno.test("feedPlan() tells a changed backend from an equal one", () => {
  const identity = (timeout?: string) =>
    planOf(timeout ? { backends: { core: { ...BACKENDS.core, timeout } } } : {})
      .plan.backends[0]?.identity;
  assertEquals(identity(), identity());
  assertEquals(identity("5s"), identity(), "spelling out a default changes nothing");
  assert(identity("6s") !== identity());
});

Deno.test("feedPlan() feeds two channels from this machine by default", () => {
  const config = configSchema.parse(DEFAULT_CONFIG);
  const plan = feedPlan(config, () => new ScriptedBackend(() => ok(1)));
  assertEquals(plan.backends.map(({ name }) => name), ["host"]);
  assertEquals(plan.sources.map(({ channel, everyMs }) => [channel, everyMs]), [
    ["system_status", 5000],
    ["storage_update", 5000],
  ]);
});
