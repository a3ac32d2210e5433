import type { StatusData } from "../../src/protocol/status_data.ts";
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { backendPlan, FeedBench, HEALTH, sourcePlan } from "../support/feed_bench.ts";
import { ok, rejected, ScriptedBackend, unavailable } from "../support/scripted_backend.ts";

Deno.test("Feed() tells an outage ended by a health check, frame by frame", async () => {
  let value = 1;
  const backend = new ScriptedBackend(() => ok(value));
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend)],
    sources: [sourcePlan("a")],
  });
  await bench.until(2);
  backend.script = () => unavailable();
  await bench.until(32);
  backend.script = () => ok(value);
  value = 2;
  await bench.until(41);
  assertEquals(bench.audience.lines, [
    "0 a 1 fresh",
    "5 RPC_FAILURE a",
    "5 a 1 stale",
    "10 RPC_FAILURE a",
    "10 a 1 stale",
    "15 RPC_FAILURE a",
    "15 CIRCUIT_OPEN 30000",
    "15 a 1 stale",
    "20 a 1 stale",
    "25 a 1 stale",
    "30 a 1 stale",
    "35 a 1 stale",
    "39 RPC_RECOVERED", // by the health check at 15 + 3 * 8
    "39 a 2 fresh", // polled at once
    "40 a 2 fresh",
  ]);
  assertEquals(backend.count(HEALTH), 3);
  assertEquals(backend.count("a"), 6, "no poll while open");
});

Deno.test("Feed() shows stale values with the truth about them", async () => {
  const backend = new ScriptedBackend(() => ok({ x: 1 }));
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend)],
    sources: [sourcePlan("a")],
  });
  await bench.until(1);
  backend.script = () => unavailable("connection refused");
  await bench.until(6);
  const [fresh, stale] = bench.audience.of<StatusData>("a");
  assert(fresh && stale);
  assertEquals({ ...fresh }, {
    data: { x: 1 },
    is_stale: false,
    cached_at: 1_764_000_000,
    age_ms: 0,
  });
  assertEquals([stale.data, stale.is_stale, stale.cached_at, stale.age_ms], [
    { x: 1 },
    true,
    1_764_000_000,
    5000,
  ]);
  assertEquals(stale.error?.code, "RPC_UNAVAILABLE");
  assertEquals(stale.error?.details, "connection refused");
  assertEquals(bench.values.read("a")?.age_ms, 6000);
  const [failure] = bench.audience.of("RPC_FAILURE");
  assertEquals(failure?.data, {
    channel: "a",
    backend: "core",
    method: "a",
    outcome: "unavailable",
  });
});

Deno.test("Feed() doubles `retry_after_ms` with a failed trial and closes with a good one", async () => {
  let isUp = true;
  const backend = new ScriptedBackend(({ method }) =>
    isUp && method !== HEALTH ? ok(isUp) : unavailable()
  );
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend)],
    sources: [sourcePlan("a")],
  });
  await bench.until(1);
  isUp = false;
  await bench.until(14);
  bench.audience.clear();
  await bench.until(48);
  assertEquals(bench.audience.lines, [
    "15 RPC_FAILURE a",
    "15 CIRCUIT_OPEN 30000",
    ...[15, 20, 25, 30, 35, 40].map((at) => `${at} a true stale`),
    "45 RPC_FAILURE a", // the trial
    "45 CIRCUIT_OPEN 60000",
    "45 a true stale",
  ]);
  isUp = true;
  bench.audience.clear();
  await bench.until(112);
  assertEquals(bench.audience.lines, [
    ...[50, 55, 60, 65, 70, 75, 80, 85, 90, 95, 100].map((at) => `${at} a true stale`),
    "105 RPC_RECOVERED",
    "105 a true fresh",
    "110 a true fresh",
  ]);
  // Health checks went on from the first opening at their own pace: 23, 31, … 103.
  assertEquals(backend.count(HEALTH), 11);
});

Deno.test("Feed() makes the trial one call without retries", async () => {
  const backend = new ScriptedBackend(() => unavailable());
  const retry = { attempts: 3, minMs: 0, maxMs: 0 };
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend, {
      retry,
      breaker: { failures: 1, openForMs: 5000, maxOpenForMs: 5000, random: () => 0.5 },
    })],
    sources: [sourcePlan("a")],
  });
  await bench.until(1);
  assertEquals(bench.audience.of("CIRCUIT_OPEN").length, 1);
  assertEquals(backend.count("a"), 3);
  await bench.until(6);
  assertEquals(backend.count("a"), 4);
  assertEquals(bench.audience.of("CIRCUIT_OPEN").length, 2);
});

Deno.test("Feed() polls all sources at once when one source's trial succeeds", async () => {
  let isUp = false;
  const backend = new ScriptedBackend(({ method }) =>
    isUp && method !== HEALTH ? ok(method) : unavailable()
  );
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend)],
    sources: [sourcePlan("a"), sourcePlan("b", { everyMs: 70_000 })],
  });
  await bench.until(6); // a, b, a: open at 5
  isUp = true;
  bench.audience.clear();
  await bench.until(36);
  assertEquals(bench.audience.lines, ["35 RPC_RECOVERED", '35 a "a" fresh', '35 b "b" fresh']);
});

Deno.test("Feed() does not count a rejected poll, but tells of it and goes stale", async () => {
  const backend = new ScriptedBackend(() => ok(1));
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend)],
    sources: [sourcePlan("a")],
  });
  await bench.until(1);
  backend.script = () => rejected("no such method");
  await bench.until(26);
  const ats = [5, 10, 15, 20, 25];
  assertEquals(bench.audience.lines, [
    "0 a 1 fresh",
    ...ats.flatMap((at) => [`${at} RPC_FAILURE a`, `${at} a 1 stale`]),
  ]);
  assertEquals(bench.feed.backendReports().core?.consecutive_failures, 0);
  assertEquals(bench.feed.backendReports().core?.last_error, "no such method");
  assertEquals(bench.values.read("a")?.error?.details, "no such method");
});

Deno.test("Feed() closes with a trial that is rejected: the backend is there", async () => {
  const backend = new ScriptedBackend(() => unavailable());
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend, {
      breaker: { failures: 1, openForMs: 5000, maxOpenForMs: 5000 },
    })],
    sources: [sourcePlan("a")],
  });
  await bench.until(1);
  backend.script = () => rejected();
  bench.audience.clear();
  await bench.until(6);
  assertEquals(bench.audience.lines.slice(0, 2), ["5 RPC_FAILURE a", "5 RPC_RECOVERED"]);
});

Deno.test("Feed() counts failures in a row over all sources of a backend", async () => {
  const backend = new ScriptedBackend(({ method }) => method === "b" ? ok(1) : unavailable());
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend)],
    sources: [
      sourcePlan("a"),
      // Answers between any two failures: never three in a row.
      sourcePlan("b", { everyMs: 2000 }),
    ],
  });
  await bench.until(60);
  assertEquals(bench.audience.of("CIRCUIT_OPEN"), []);
  assertEquals(bench.audience.of("RPC_FAILURE").length, 13);
  backend.script = () => unavailable();
  await bench.until(66);
  assertEquals(bench.audience.of("CIRCUIT_OPEN").length, 1);
});

Deno.test("Feed() keeps the last good value when a newer one cannot be encoded", async () => {
  let value: unknown = { n: 1 };
  const backend = new ScriptedBackend(() => ok(value));
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend)],
    sources: [sourcePlan("a")],
  });
  await bench.until(1);
  value = { n: 2n };
  await bench.until(6);
  value = { n: 3 };
  await bench.until(11);
  assertEquals(bench.audience.lines, [
    '0 a {"n":1} fresh',
    "5 JSON_MARSHAL_ERROR a",
    '5 a {"n":1} stale',
    '10 a {"n":3} fresh',
  ]);
  const [error] = bench.audience.of("JSON_MARSHAL_ERROR");
  assertStringIncludes(String(error?.details), "BigInt");
  assertEquals(backend.count("a"), 3, "it is no reason to poll less");
});

Deno.test("Feed() says when a value grew old, without any failure", async () => {
  const backend = new ScriptedBackend(() => ok(1));
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend)],
    sources: [sourcePlan("a", { everyMs: 60_000, staleAfterMs: 15_000 })],
  });
  await bench.until(14.999);
  assertEquals(bench.values.read("a")?.is_stale, false);
  await bench.until(61);
  assertEquals(bench.audience.lines, ["0 a 1 fresh", "15 a 1 stale", "60 a 1 fresh"]);
  assertStringIncludes(
    String(bench.audience.of<StatusData>("a")[1]?.error?.details),
    "no newer value for 15000 ms",
  );
});

Deno.test("Feed() sends nothing for a source that never had a value, yet tells of failures", async () => {
  const backend = new ScriptedBackend(() => unavailable());
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend)],
    sources: [sourcePlan("a")],
  });
  assertEquals(bench.feed.untried(), ["a"]);
  await bench.until(21);
  assertEquals(bench.audience.lines, [
    "0 RPC_FAILURE a",
    "5 RPC_FAILURE a",
    "10 RPC_FAILURE a",
    "10 CIRCUIT_OPEN 30000",
  ]);
  assertEquals(bench.feed.untried(), []);
  assertEquals({ ...bench.report("a") }, {
    last_success: null,
    last_error: "connection refused",
    is_stale: true,
    age_ms: null,
  });
  assertEquals({ ...bench.feed.backendReports().core }, {
    state: "open",
    consecutive_failures: 3,
    retry_after_ms: 19_000,
    last_error: "health check: connection refused",
  });
});

Deno.test("Feed() keeps one backend's trouble from the sources of another", async () => {
  const dead = new ScriptedBackend(() => unavailable());
  const alive = new ScriptedBackend(() => ok(1));
  await using bench = await FeedBench.start({
    backends: [backendPlan(dead), backendPlan(alive, { name: "other" })],
    sources: [sourcePlan("a"), sourcePlan("b", { backend: "other" })],
  });
  await bench.until(31);
  assertEquals(
    bench.audience.lines.filter((line) => line.includes(" b ")),
    [0, 5, 10, 15, 20, 25, 30].map((at) => `${at} b 1 fresh`),
  );
});
