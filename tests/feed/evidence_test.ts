import { assertEquals, assertStringIncludes } from "../support/assert.ts";
import { backendPlan, FeedBench, HEALTH, sourcePlan } from "../support/feed_bench.ts";
import { ok, rejected, ScriptedBackend, unavailable } from "../support/scripted_backend.ts";

const OPENINGS = /CIRCUIT_OPEN|RPC_RECOVERED/;

Deno.test("C19: a rejected health check closes nothing and starts no ladder anew", async () => {
  const backend = new ScriptedBackend(({ method }) =>
    method === HEALTH ? rejected("HTTP 404") : unavailable("HTTP 502")
  );
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend)],
    sources: ["a", "b", "c"].map((channel) => sourcePlan(channel)),
  });
  await bench.until(150);
  assertEquals(bench.audience.lines.filter((line) => OPENINGS.test(line)), [
    "0 CIRCUIT_OPEN 30000",
    "30 CIRCUIT_OPEN 60000",
    "90 CIRCUIT_OPEN 120000",
  ]);
  assertEquals(bench.feed.backendReports()["core"]?.last_error, "health check: HTTP 404");
});

Deno.test("C19: without a method of its own a health check asks what failed last", async () => {
  let isDown = true;
  const backend = new ScriptedBackend(({ method }) => {
    if (method === "gone") return rejected("HTTP 404");
    return isDown ? unavailable("HTTP 502") : ok(1);
  });
  const plan = backendPlan(backend, { healthCheck: { everyMs: 8000, timeoutMs: 360_000_000 } });
  await using bench = await FeedBench.start({
    backends: [{ ...plan, breaker: { ...plan.breaker, failures: 2 } }],
    sources: ["gone", "a"].map((channel) => sourcePlan(channel)),
  });
  await bench.until(7);
  isDown = false;
  await bench.until(14);
  assertEquals(bench.audience.lines.filter((line) => OPENINGS.test(line)), [
    "5 CIRCUIT_OPEN 30000",
    "13 RPC_RECOVERED",
  ]);
  assertEquals(backend.calls.filter((each) => each === HEALTH), []);
});

Deno.test("C19: a trial that is rejected closes only where its question had found nobody", async () => {
  const backend = new ScriptedBackend(({ method }) =>
    method === "a" ? unavailable("HTTP 502") : rejected("HTTP 404")
  );
  const plan = backendPlan(backend, {
    healthCheck: { call: { method: HEALTH }, everyMs: 900_000, timeoutMs: 360_000_000 },
  });
  await using bench = await FeedBench.start({
    backends: [plan],
    sources: [sourcePlan("a", { everyMs: 1000 }), sourcePlan("gone", { everyMs: 4000 })],
  });
  await bench.until(40); // "gone" is due at 32 as well, and may be the trial
  assertEquals(bench.audience.lines.filter((line) => OPENINGS.test(line)), [
    "2 CIRCUIT_OPEN 30000",
    "32 CIRCUIT_OPEN 60000",
  ]);
});

Deno.test("a backend that says when to come back is left alone until then", async () => {
  let isBusy = true;
  const backend = new ScriptedBackend(() =>
    isBusy ? { ...unavailable("HTTP 429"), retryAfterMs: 12_000 } : ok(1)
  );
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend, { retry: { attempts: 3, minMs: 0, maxMs: 1 } })],
    sources: [sourcePlan("a")],
  });
  await bench.until(1);
  assertEquals(bench.feed.backendReports()["core"]?.retry_after_ms, 11_000);
  isBusy = false;
  await bench.until(11);
  assertEquals(backend.calls, ["a"], "neither a retry nor the polls due at 5 and 10");
  await bench.until(16);
  assertEquals(backend.calls, ["a", "a"]);
  assertEquals(bench.audience.lines, ["0 RPC_FAILURE a", "15 a 1 fresh"]);
});

Deno.test("`Retry-After` lengthens the time a breaker is open, up to `max_open_for`", async () => {
  const backend = new ScriptedBackend(() => ({ ...unavailable("HTTP 503"), retryAfterMs: 9e9 }));
  const plan = backendPlan(backend);
  await using bench = await FeedBench.start({
    backends: [{ ...plan, breaker: { ...plan.breaker, failures: 1, maxOpenForMs: 100_000 } }],
    sources: [sourcePlan("a")],
  });
  await bench.until(99);
  assertEquals(backend.calls, ["a"], "no health check either");
  assertEquals(bench.audience.lines.filter((line) => OPENINGS.test(line)), [
    "0 CIRCUIT_OPEN 100000",
  ]);
  await bench.until(101);
  assertEquals(backend.calls, ["a", "a"]);
});

Deno.test("C20: no more than `max_in_flight` calls are under way, and every source has its turn", async () => {
  let underWay = 0;
  let most = 0;
  const release: (() => void)[] = [];
  const backend = new ScriptedBackend(async () => {
    most = Math.max(most, ++underWay);
    await new Promise<void>((resolve) => release.push(resolve));
    underWay--;
    return ok(1);
  });
  const channels = Array.from({ length: 30 }, (_, index) => `disk_${index}`);
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend, { maxInFlight: 8 })],
    sources: channels.map((channel) => sourcePlan(channel)),
  });
  while (backend.calls.length < 30) {
    await bench.until(bench.clock.now() / 1000 + 0.01);
    release.splice(0).forEach((each) => each());
  }
  release.splice(0).forEach((each) => each());
  await bench.until(bench.clock.now() / 1000 + 0.01);
  assertEquals([most, new Set(backend.calls).size], [8, 30]);
  assertEquals(bench.feed.untried(), []);
});

Deno.test("a poll that waits for its turn is let go when the breaker opens", async () => {
  const backend = new ScriptedBackend(({ method }, signal) =>
    method === "a" ? unavailable() : new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    })
  );
  const plan = backendPlan(backend, { maxInFlight: 1 });
  await using bench = await FeedBench.start({
    backends: [{ ...plan, breaker: { ...plan.breaker, failures: 1 } }],
    sources: ["a", "b", "c"].map((channel) => sourcePlan(channel)),
  });
  await bench.until(1);
  assertEquals(backend.calls, ["a"]);
  assertEquals(bench.feed.untried(), []);
  assertStringIncludes(bench.audience.lines.join(), "CIRCUIT_OPEN");
});
