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
    maxInFlight: 8,
  });
  assertEquals([healthCheck.everyMs, healthCheck.timeoutMs], [10_000, 5000]);
  assertEquals(healthCheck.call, undefined, "it asks what a source asks");
  const [{ phaseMs, ...source } = {}] = sources;
  assert(phaseMs !== undefined && phaseMs > 0 && phaseMs <= 5000);
  assertEquals(source, {
    channel: "a",
    backend: "core",
    call: { method: "Get", params: { x: 1 } },
    everyMs: 5000,
  });
});

Deno.test("C20: feedPlan() spreads sources of one pace over their period, the same each time", () => {
  const sources = Array.from({ length: 30 }, (_, index) => ({
    channel: `disk_${index}`,
    backend: "core",
    method: "Get",
    every: "10s",
  }));
  const phases = () => planOf({ sources }).plan.sources.map(({ phaseMs = 0 }) => phaseMs);
  assertEquals(phases(), phases());
  const perSecond = phases().map((phase) => Math.ceil(phase / 1000) - 1);
  const counts = Array.from({ length: 10 }, (_, s) => perSecond.filter((at) => at === s).length);
  assert(Math.max(...counts) <= 8 && counts.filter((count) => count > 0).length >= 7, `${counts}`);
});

Deno.test("feedPlan() has the sources of a batch polled together", () => {
  const sources = ["a", "b"].map((channel) => ({ channel, backend: "core", method: "Get" }));
  const { plan } = planOf({ backends: { core: { ...BACKENDS.core, batch: true } }, sources });
  assertEquals(plan.sources.map(({ inStep, phaseMs }) => [inStep, phaseMs]), [
    [true, undefined],
    [true, undefined],
  ]);
});

Deno.test("feedPlan() lets the health check ask what was configured", () => {
  const core = { ...BACKENDS.core, health_check: { method: "Ping" } };
  const [backend] = planOf({ backends: { core } }).plan.backends;
  assertEquals(backend?.healthCheck.call, { method: "Ping", params: {} });
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
