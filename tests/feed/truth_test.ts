import type { JsonText } from "../../src/protocol/codec.ts";
import type { ErrorEvent } from "../../src/protocol/error_event.ts";
import type { StatusData } from "../../src/protocol/status_data.ts";
import { MAX_VALUE_LENGTH } from "../../src/values/value.ts";
import { assertEquals } from "../support/assert.ts";
import { backendPlan, FeedBench, sourcePlan } from "../support/feed_bench.ts";
import { ok, rejected, ScriptedBackend, unavailable } from "../support/scripted_backend.ts";

Deno.test("C11: a poll that throws is a failed poll, told as such, and polls go on", async () => {
  let isBroken = false;
  const backend = new ScriptedBackend(() => ok(1));
  await using bench = new FeedBench({
    observer: {
      onPoll: () => {
        if (isBroken) throw new RangeError("Invalid string length");
      },
    },
  });
  await bench.apply({ backends: [backendPlan(backend)], sources: [sourcePlan("a")] });
  await bench.until(3);
  isBroken = true;
  await bench.until(11);
  isBroken = false;
  await bench.until(16);
  assertEquals(bench.audience.lines, [
    "0 a 1 fresh",
    "5 RPC_FAILURE a",
    "5 a 1 stale",
    "10 RPC_FAILURE a",
    "10 a 1 stale",
    "15 a 1 fresh",
  ]);
  const [failure] = bench.audience.of<ErrorEvent>("RPC_FAILURE");
  assertEquals(failure?.details, "the poll broke: Invalid string length");
  assertEquals([bench.feed.untried(), bench.feed.ended()], [[], []]);
});

Deno.test("C11: a source that throws at once does not spin, and its audience's trouble ends nothing", async () => {
  const backend = new ScriptedBackend(() => ok(1));
  let thrown = 0;
  await using bench = new FeedBench({
    onFrame: () => {
      thrown += 1;
      throw new Error("nobody can be told");
    },
  });
  await bench.apply({
    backends: [backendPlan(backend)],
    sources: [sourcePlan("a", { everyMs: 10 })],
  });
  await bench.until(60);
  assertEquals(thrown > 1 && thrown < 60, true, `${thrown} in a minute`);
  assertEquals(bench.values.read("a")?.is_stale, true);
});

Deno.test("C11: a value that cannot be sent is not kept, and its channel says so", async () => {
  let value: JsonText = "1" as JsonText;
  const backend = new ScriptedBackend(() => ({ kind: "ok", value }));
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend)],
    sources: [sourcePlan("a")],
  });
  await bench.until(1);
  value = "1".repeat(MAX_VALUE_LENGTH + 1) as JsonText;
  await bench.until(6);
  assertEquals(bench.audience.lines, ["0 a 1 fresh", "5 JSON_MARSHAL_ERROR a", "5 a 1 stale"]);
});

Deno.test("C49: a value is as old as the attempt that gave it", async () => {
  const backend = new ScriptedBackend(async (_, signal) => {
    await bench.clock.sleep(4000, { signal });
    return ok(1);
  });
  await using bench: FeedBench = new FeedBench();
  await bench.apply({ backends: [backendPlan(backend)], sources: [sourcePlan("a")] });
  await bench.until(4.5);
  const [frame] = bench.audience.of<StatusData>("a");
  assertEquals([frame?.age_ms, frame?.cached_at], [4000, 1_764_000_000]);
});

Deno.test("C49: what was asked for before a halt is not fresh after it", async () => {
  const answer = Promise.withResolvers<void>();
  let calls = 0;
  const backend = new ScriptedBackend(async () => {
    calls += 1;
    if (calls === 2) await answer.promise;
    return ok(calls);
  });
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend)],
    sources: [sourcePlan("a", { staleAfterMs: 600_000 })],
  });
  await bench.until(5.5);
  await bench.clock.jump(40_000);
  answer.resolve();
  await bench.clock.advance(0);
  const shown = bench.audience.of<StatusData>("a").map(({ data, is_stale, age_ms }) => [
    data,
    is_stale,
    age_ms,
  ]);
  assertEquals(shown.slice(0, 3), [[1, false, 0], [1, true, 45_500], [2, true, 40_500]]);
  await bench.clock.advance(5000);
  assertEquals(bench.values.read("a")?.is_stale, false, "asked for since");
});

Deno.test("C50: a source that is taken away says a last word, and its channel is forgotten", async () => {
  const backend = new ScriptedBackend(({ method }) => ok(method));
  const backends = [backendPlan(backend)];
  await using bench = await FeedBench.start({
    backends,
    sources: [sourcePlan("a"), sourcePlan("b")],
  });
  const last: unknown[] = [];
  bench.values.subscribe({
    onStanding: ({ channel, standing, status }) =>
      standing === "retired" && last.push([channel, status?.is_stale, status?.error?.code]),
  });
  await bench.until(1);
  await bench.apply({ backends, sources: [sourcePlan("b")] });
  assertEquals(last, [["a", true, "SOURCE_REMOVED"]]);
  assertEquals(bench.values.channels(), ["b"]);
});

Deno.test("C50: a backend removed while its breaker is open is told as gone; a stop tells nothing", async () => {
  const backend = new ScriptedBackend(() => unavailable());
  const plan = { backends: [backendPlan(backend)], sources: [sourcePlan("a")] };
  await using bench = await FeedBench.start(plan);
  await bench.until(11);
  assertEquals(bench.audience.of("CIRCUIT_OPEN").length, 1);
  bench.audience.clear();
  await bench.apply({ backends: [], sources: [] });
  assertEquals(bench.audience.of("RPC_RECOVERED").map(({ data }) => data), [
    { backend: "core", removed: true },
  ]);

  await using other = await FeedBench.start(plan);
  await other.until(11);
  other.audience.clear();
  await other.feed.stop();
  assertEquals(other.audience.lines, []);
});

Deno.test("C23: /status says of a source that never answered that it is trouble, and why", async () => {
  const backend = new ScriptedBackend(({ method }) =>
    method === "a" ? rejected("HTTP 404") : ok(1)
  );
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend)],
    sources: [sourcePlan("a"), sourcePlan("b")],
  });
  await bench.until(1);
  assertEquals({ ...bench.report("a") }, {
    last_success: null,
    last_error: "HTTP 404",
    is_stale: true,
    age_ms: null,
  });
  assertEquals(bench.report("b").last_error, null);
});

Deno.test("C51: a value too large for the other hubs is doubted at once", async () => {
  let value: JsonText = "1" as JsonText;
  const backend = new ScriptedBackend(() => ({ kind: "ok", value }));
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend)],
    sources: [sourcePlan("a")],
  });
  bench.values.maxBytes = 100;
  await bench.until(1);
  value = `"${"ü".repeat(50)}"` as JsonText;
  await bench.until(6);
  value = "2" as JsonText;
  await bench.until(11);
  assertEquals(bench.audience.lines, [
    "0 a 1 fresh",
    "5 JSON_MARSHAL_ERROR a",
    "5 a 1 stale",
    "10 a 2 fresh",
  ]);
});
