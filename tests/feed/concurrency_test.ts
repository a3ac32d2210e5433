import { beat } from "../../src/feed/heartbeat.ts";
import type { Outcome } from "../../src/rpc/backend.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { backendPlan, FeedBench, HEALTH, sourcePlan } from "../support/feed_bench.ts";
import { hang, ok, ScriptedBackend, unavailable } from "../support/scripted_backend.ts";

Deno.test("Feed() lets a hanging source delay neither another nor the heartbeat", async () => {
  const backend = new ScriptedBackend(({ method }, signal) =>
    method === "slow" ? hang(signal) : ok(1)
  );
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend)],
    sources: [sourcePlan("slow"), sourcePlan("a")],
  });
  const { clock, audience } = bench;
  const stop = new AbortController();
  const beating = beat(
    {
      clock,
      send: (data) => audience.add("heartbeat", data),
      everyMs: 10_000,
      clientsConnected: () => 7,
    },
    stop.signal,
  );
  await bench.until(21);
  assertEquals(bench.audience.lines, [
    "0 a 1 fresh",
    "5 a 1 fresh",
    "10 heartbeat",
    "10 a 1 fresh",
    "15 a 1 fresh",
    "20 heartbeat",
    "20 a 1 fresh",
  ]);
  assertEquals(audience.of("heartbeat"), [
    { timestamp: 1_764_000_010, clients_connected: 7 },
    { timestamp: 1_764_000_020, clients_connected: 7 },
  ]);
  assertEquals(backend.count("slow"), 1, "never two calls of one source at once");
  stop.abort();
  await beating;
});

Deno.test("Feed() changes nothing for the late result of a call begun before opening", async () => {
  const late = Promise.withResolvers<Outcome>();
  let isDown = false;
  const backend = new ScriptedBackend(({ method }) => {
    if (isDown && method === "slow") return late.promise; // deaf to its signal, too
    return isDown ? unavailable() : ok(1);
  });
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend)],
    sources: [sourcePlan("slow"), sourcePlan("a")],
  });
  await bench.until(1);
  isDown = true;
  await bench.until(16);
  bench.audience.clear();
  late.resolve(ok("from before"));
  await bench.until(21);
  assertEquals(bench.audience.lines.toSorted(), ["20 a 1 stale", "20 slow 1 stale"]);
  assertEquals(bench.feed.backendReports().core?.state, "open");
});

Deno.test("Feed() shows a source as stale at once when its call dies with the opening", async () => {
  let isDown = false;
  const backend = new ScriptedBackend(({ method }, signal) => {
    if (isDown && method === "slow") return hang(signal);
    return isDown ? unavailable() : ok(1);
  });
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend)],
    sources: [
      sourcePlan("slow", { everyMs: 12_000, staleAfterMs: 100_000 }),
      sourcePlan("a"),
    ],
  });
  await bench.until(1);
  isDown = true;
  await bench.until(14);
  bench.audience.clear();
  await bench.until(16);
  assertEquals(bench.audience.lines, [
    "15 RPC_FAILURE a",
    "15 CIRCUIT_OPEN 30000",
    "15 a 1 stale",
    "15 slow 1 stale",
  ]);
});

Deno.test("Feed() asks anew when a trial dies because a health check closed the breaker", async () => {
  let phase: "up" | "down" | "trial hangs" = "up";
  let answers = 0;
  const backend = new ScriptedBackend(({ method }, signal) => {
    if (phase === "up") return ok(++answers);
    if (phase === "down") return unavailable();
    if (method === HEALTH) {
      phase = "up";
      return ok("alive");
    }
    return hang(signal);
  });
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend)],
    sources: [sourcePlan("a")],
  });
  await bench.until(1);
  phase = "down";
  await bench.until(40);
  phase = "trial hangs"; // due at 45; health checks at 23, 31, 39, 47
  bench.audience.clear();
  await bench.until(48);
  assertEquals(bench.audience.lines, ["47 RPC_RECOVERED", "47 a 2 fresh"]);
  assertEquals(bench.feed.backendReports().core?.state, "closed");
});

/**
 * The stated cost of a dead backend: four sources at 5 s and every default of the contract, retries
 * and health checks included. Waits of retries are shortened, and different in every round.
 */
Deno.test("Feed() asks a dead backend at most 16 times in its first minute", async () => {
  for (let round = 0; round < 25; round++) {
    const chance = () => Math.random();
    const isSlow = round % 3 === 1;
    const backend = new ScriptedBackend(async (_, signal) => {
      if (isSlow) await bench.clock.sleep(3 * chance(), { signal });
      return unavailable();
    });
    await using bench = new FeedBench();
    await bench.apply({
      backends: [backendPlan(backend, {
        retry: { attempts: 2, minMs: 4, maxMs: 80 },
        breaker: { failures: 3, openForMs: 30_000, maxOpenForMs: 300_000, random: chance },
        healthCheck: { call: { method: HEALTH }, everyMs: 10_000, timeoutMs: 5000 },
      })],
      sources: ["a", "b", "c", "d"].map((channel) => sourcePlan(channel)),
    });
    await bench.until(60.5);
    const { length } = backend.calls;
    assert(length <= 16, `round ${round}: ${length} calls: ${backend.calls}`);
    assert(length >= 10, `round ${round}: only ${length} calls: does it still look after it?`);
    assertEquals(bench.audience.of("CIRCUIT_OPEN").length, 2, "the opening and one failed trial");
  }
});

Deno.test("Feed() does not take an answer for fresh that came with the opening", async () => {
  let isUp = true;
  const backend = new ScriptedBackend(({ method }) =>
    isUp || method === "a" ? ok(method) : unavailable()
  );
  await using bench = await FeedBench.start({
    backends: [backendPlan(backend, {
      breaker: { failures: 1, openForMs: 30_000, maxOpenForMs: 30_000 },
    })],
    sources: [sourcePlan("a"), sourcePlan("b")],
  });
  await bench.until(1);
  isUp = false;
  bench.audience.clear();
  await bench.until(11);
  assertEquals(bench.audience.lines, [
    '5 a "a" fresh', // it answered, and b's failure came next, within the same turn
    "5 RPC_FAILURE b",
    "5 CIRCUIT_OPEN 30000",
    '5 b "b" stale',
    '10 a "a" stale',
    '10 b "b" stale',
  ]);
});
