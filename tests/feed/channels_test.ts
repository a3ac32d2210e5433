import { assertEquals, assertStringIncludes } from "../support/assert.ts";
import { backendPlan, FeedBench, sourcePlan } from "../support/feed_bench.ts";
import { ok, ScriptedBackend, unavailable } from "../support/scripted_backend.ts";

const CHANNELS = [
  { channel: "queues", select: "queues" },
  { channel: "disks", select: "disks[].name" },
];

Deno.test("one poll feeds several channels; a part that is missing fails its channel alone", async () => {
  let value: unknown = { queues: 3, disks: [{ name: "sda" }] };
  const backend = new ScriptedBackend(() => ok(value));
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend)],
    sources: [sourcePlan("queues", { channels: CHANNELS })],
  });
  assertEquals(bench.feed.channels(), ["queues", "disks"]);
  await bench.until(1);
  value = { queues: 4 };
  await bench.until(6);
  value = { queues: 5, disks: [{ name: "sdb" }] };
  await bench.until(11);
  assertEquals(bench.audience.lines, [
    "0 queues 3 fresh",
    '0 disks ["sda"] fresh',
    "5 RPC_FAILURE disks",
    "5 queues 4 fresh",
    '5 disks ["sda"] stale',
    "10 queues 5 fresh",
    '10 disks ["sdb"] fresh',
  ]);
  const [failure] = bench.audience.of("RPC_FAILURE");
  assertEquals(failure?.message, 'polling "disks" from backend "core" failed');
  assertStringIncludes(String(failure?.details), "nothing at disks[].name");
  assertEquals(backend.calls.length, 3);
});

Deno.test("a failed poll fails every channel it feeds, and an open breaker doubts them all", async () => {
  let isDown = false;
  const backend = new ScriptedBackend(() => isDown ? unavailable() : ok({ queues: 1, disks: [] }));
  const plan = backendPlan(backend);
  await using bench = await FeedBench.start({
    backends: [{ ...plan, breaker: { ...plan.breaker, failures: 1 } }],
    sources: [sourcePlan("queues", { channels: CHANNELS })],
  });
  await bench.until(1);
  isDown = true;
  await bench.until(6);
  assertEquals(bench.audience.lines.slice(2), [
    "5 RPC_FAILURE queues",
    "5 RPC_FAILURE disks",
    "5 CIRCUIT_OPEN 30000",
    "5 queues 1 stale",
    "5 disks [] stale",
  ]);
});

Deno.test("a single channel gets what its `select` says", async () => {
  const backend = new ScriptedBackend(() => ok({ deep: { value: 7 } }));
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend)],
    sources: [sourcePlan("a", { channels: [{ channel: "a", select: "deep.value" }] })],
  });
  await bench.until(1);
  assertEquals(bench.audience.lines, ["0 a 7 fresh"]);
});

Deno.test("pollNow() asks the source of any of its channels, once for all that were named", async () => {
  const backend = new ScriptedBackend(() => ok({ queues: 1, disks: [] }));
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend)],
    sources: [sourcePlan("queues", { channels: CHANNELS }), sourcePlan("other")],
  });
  await bench.until(1);
  bench.feed.pollNow(["disks"]);
  await bench.until(2);
  assertEquals(backend.calls, ["queues", "other", "queues"]);
  bench.feed.pollNow(["disks", "queues", "nothing"]);
  await bench.until(3);
  assertEquals(backend.calls.slice(3), ["queues"]);
});
