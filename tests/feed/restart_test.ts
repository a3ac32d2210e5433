import { assertEquals } from "../support/assert.ts";
import { backendPlan, FeedBench, HEALTH, sourcePlan } from "../support/feed_bench.ts";
import { ok, ScriptedBackend, unavailable } from "../support/scripted_backend.ts";

Deno.test("Feed() goes on with a breaker that an earlier life left open: next try where it was", async () => {
  const backend = new ScriptedBackend(() => unavailable("connection refused"));
  const plan = { backends: [backendPlan(backend)], sources: [sourcePlan("a")] };
  const before = await FeedBench.start(plan);
  await before.until(20); // open since 10, until 40
  const record = before.feed.openRecord("core");
  assertEquals(record, {
    retryAfterMs: 20_000,
    failures: 3,
    nominalMs: 30_000,
    lastError: "health check: connection refused",
  });
  await before[Symbol.asyncDispose]();

  const again = new ScriptedBackend(() => unavailable("connection refused"));
  await using after = await FeedBench.start(
    { backends: [backendPlan(again)], sources: [sourcePlan("a")] },
    { open: new Map(record ? [["core", record]] : []) },
  );
  await after.until(19);
  assertEquals([again.count("a"), after.audience.lines], [0, []]);
  assertEquals(after.feed.backendReports()["core"]?.state, "open");
  await after.until(21);
  assertEquals(again.count("a"), 1); // the trial, which fails: twice as long
  assertEquals(after.feed.backendReports()["core"]?.retry_after_ms, 59_000);
  again.script = () => ok(1);
  await after.until(25);
  assertEquals(again.count(HEALTH) > 0, true);
  assertEquals(after.audience.lines.filter((line) => line.includes("RPC_")).slice(-1), [
    "24 RPC_RECOVERED",
  ]);
});

Deno.test("Feed() checks the health of a backend left open by what a source asks, where nothing else is set", async () => {
  const backend = new ScriptedBackend(() => ok(1));
  const plan = backendPlan(backend);
  await using bench = await FeedBench.start(
    {
      backends: [{ ...plan, healthCheck: { everyMs: 8000, timeoutMs: 360_000_000 } }],
      sources: [sourcePlan("a")],
    },
    {
      open: new Map([[
        "core",
        { retryAfterMs: 60_000, failures: 3, nominalMs: 60_000, lastError: null },
      ]]),
    },
  );
  await bench.until(9);
  assertEquals(bench.audience.lines, ["8 RPC_RECOVERED", "8 a 1 fresh"]);
});
