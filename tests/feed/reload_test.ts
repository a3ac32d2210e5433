import type { Outcome } from "../../src/rpc/backend.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { backendPlan, FeedBench, sourcePlan } from "../support/feed_bench.ts";
import { settle } from "../support/fake_clock.ts";
import { hang, ok, ScriptedBackend, unavailable } from "../support/scripted_backend.ts";

Deno.test("Feed.apply() of an equal plan changes nothing, not even a call that hangs", async () => {
  const answer = Promise.withResolvers<Outcome>();
  const backend = new ScriptedBackend(() => answer.promise);
  const plan = () => ({ backends: [backendPlan(backend)], sources: [sourcePlan("a")] });
  await using bench = await FeedBench.start(plan());
  await bench.until(3);
  await bench.apply(plan());
  answer.resolve(ok(1));
  await bench.until(4);
  assertEquals(bench.audience.lines, ["3 a 1 fresh"]);
  assertEquals(backend.calls.length, 1);
  assert(!backend.isClosed);
});

Deno.test("Feed.apply() forgets the answer of a call that hung over a change", async () => {
  const late = Promise.withResolvers<Outcome>();
  let calls = 0;
  const backend = new ScriptedBackend(() => {
    calls += 1;
    return calls === 1 ? ok("first") : calls === 2 ? late.promise : ok("newest");
  });
  const backends = [backendPlan(backend)];
  await using bench = await FeedBench.start({ backends, sources: [sourcePlan("a")] });
  await bench.until(6);
  const faster = sourcePlan("a", { everyMs: 2000 });
  await bench.apply({ backends, sources: [faster] });
  await settle();
  late.resolve(ok("from before the change"));
  await bench.until(9);
  assertEquals(bench.audience.lines, [
    '0 a "first" fresh',
    '6 a "newest" fresh',
    '8 a "newest" fresh',
  ]);
});

Deno.test("Feed.apply() keeps the value of a channel that stays, as stale until polled", async () => {
  const before = new ScriptedBackend(() => ok("old"));
  const after = new ScriptedBackend((_, signal) => hang(signal));
  const sources = [sourcePlan("a")];
  await using bench = await FeedBench.start({ backends: [backendPlan(before)], sources });
  await bench.until(1);
  await bench.apply({ backends: [backendPlan(after, { identity: "2" })], sources });
  assert(before.isClosed);
  const latest = bench.values.read("a");
  assertEquals([latest?.data as string, latest?.is_stale], ['"old"', true]);
});

Deno.test("Feed.apply() forgets what is gone and starts what is new", async () => {
  const backend = new ScriptedBackend(({ method }) => ok(method));
  const backends = [backendPlan(backend)];
  await using bench = await FeedBench.start({ backends, sources: [sourcePlan("a")] });
  await bench.until(1);
  await bench.apply({ backends, sources: [sourcePlan("b")] });
  await bench.until(7);
  assertEquals(bench.feed.channels(), ["b"]);
  assertEquals(bench.values.read("a"), undefined);
  assertEquals(bench.audience.lines, ['0 a "a" fresh', '1 b "b" fresh', '6 b "b" fresh']);
});

Deno.test("Feed.apply() leaves an open breaker open when only sources change", async () => {
  const backend = new ScriptedBackend(() => unavailable());
  const backends = [backendPlan(backend)];
  await using bench = await FeedBench.start({ backends, sources: [sourcePlan("a")] });
  await bench.until(11);
  assertEquals(bench.feed.backendReports().core?.state, "open");
  await bench.apply({ backends, sources: [sourcePlan("a"), sourcePlan("b")] });
  const { length } = backend.calls;
  await bench.until(15);
  assertEquals(bench.feed.backendReports().core?.state, "open");
  assertEquals(backend.calls.length, length);
});

Deno.test("Feed.apply() during a trial leaves the trial to the next poll", async () => {
  let isDown = true;
  const backend = new ScriptedBackend(({ method }, signal) =>
    isDown ? unavailable() : method === "a" ? hang(signal) : ok(1)
  );
  const backends = [
    backendPlan(backend, {
      breaker: { failures: 1, openForMs: 5000, maxOpenForMs: 9000, random: () => 0.5 },
      healthCheck: { call: { method: "a" }, everyMs: 900_000, timeoutMs: 360_000_000 },
    }),
  ];
  await using bench = await FeedBench.start({ backends, sources: [sourcePlan("a")] });
  await bench.until(4);
  isDown = false;
  await bench.until(6);
  assertEquals(bench.feed.backendReports().core?.state, "half_open");
  bench.audience.clear();
  await bench.apply({ backends, sources: [sourcePlan("b")] });
  await bench.until(12);
  assertEquals(bench.audience.lines, ["11 RPC_RECOVERED", "11 b 1 fresh"]);
});

Deno.test("Feed.apply() of a new backend still owes the RPC_RECOVERED of the old one", async () => {
  const dead = new ScriptedBackend(() => unavailable());
  const sources = [sourcePlan("a")];
  await using bench = await FeedBench.start({ backends: [backendPlan(dead)], sources });
  await bench.until(11);
  assertEquals(bench.audience.of("CIRCUIT_OPEN").length, 1);
  bench.audience.clear();
  let isUp = false;
  const next = new ScriptedBackend(() => isUp ? ok(1) : unavailable());
  await bench.apply({ backends: [backendPlan(next, { identity: "2" })], sources });
  await bench.until(12);
  isUp = true;
  await bench.until(22);
  assertEquals(bench.audience.lines, [
    "11 RPC_FAILURE a",
    "16 RPC_RECOVERED",
    "16 a 1 fresh",
    "21 a 1 fresh",
  ]);
});

Deno.test("Feed.apply() owes one RPC_RECOVERED also if the new backend opens first", async () => {
  const dead = new ScriptedBackend(() => unavailable());
  const sources = [sourcePlan("a")];
  await using bench = await FeedBench.start({ backends: [backendPlan(dead)], sources });
  await bench.until(11);
  bench.audience.clear();
  let isUp = false;
  const next = new ScriptedBackend(() => isUp ? ok(1) : unavailable());
  await bench.apply({ backends: [backendPlan(next, { identity: "2" })], sources });
  await bench.until(22);
  isUp = true;
  await bench.until(35);
  assertEquals(bench.audience.lines, [
    "11 RPC_FAILURE a",
    "16 RPC_FAILURE a",
    "21 RPC_FAILURE a",
    "21 CIRCUIT_OPEN 30000",
    "29 RPC_RECOVERED",
    "29 a 1 fresh",
    "31 a 1 fresh",
  ]);
});

Deno.test("Feed.apply() of a plan that cannot be put into force changes nothing", async () => {
  const backend = new ScriptedBackend(() => ok(1));
  const backends = [backendPlan(backend)];
  await using bench = await FeedBench.start({ backends, sources: [sourcePlan("a")] });
  const opened = new ScriptedBackend(() => ok(2));
  const other = backendPlan(opened, { name: "other" });
  const broken = backendPlan(opened, {
    name: "broken",
    open: () => {
      throw new Error("no such proto file");
    },
  });
  await assertRejects(
    () => bench.apply({ backends: [other, broken], sources: [] }),
    Error,
    "no such proto file",
  );
  await settle();
  assert(opened.isClosed, "what was opened for it is closed again");
  await assertRejects(
    () => bench.apply({ backends: [], sources: [sourcePlan("z")] }),
    TypeError,
    `Cannot feed "z" as there is no backend "core"`,
  );
  assert(!backend.isClosed);
  await bench.until(6);
  assertEquals(bench.feed.channels(), ["a"]);
  assertEquals(bench.audience.lines, ["0 a 1 fresh", "5 a 1 fresh"]);
});

Deno.test("Feed.apply() outlives a backend that fails to close", async () => {
  const bad = new ScriptedBackend(() => ok(1));
  bad[Symbol.asyncDispose] = () => Promise.reject(new Error("stuck"));
  await using bench = await FeedBench.start({
    backends: [backendPlan(bad)],
    sources: [sourcePlan("a")],
  });
  await bench.apply({ backends: [], sources: [] });
  assertEquals(bench.feed.channels(), []);
});

Deno.test("Feed.apply() waits a second, no longer, for a backend to close", async () => {
  const bad = new ScriptedBackend(() => ok(1));
  bad[Symbol.asyncDispose] = () => new Promise(() => {});
  await using bench = await FeedBench.start({ backends: [backendPlan(bad)], sources: [] });
  let isDone = false;
  const applied = bench.apply({ backends: [], sources: [] }).then(() => isDone = true);
  await bench.until(0.9);
  assert(!isDone);
  await bench.until(1);
  await applied;
});

Deno.test("Feed[Symbol.asyncDispose]() ends hanging calls and says nothing more", async () => {
  const backend = new ScriptedBackend((_, signal) => hang(signal));
  const bench = await FeedBench.start({
    backends: [backendPlan(backend)],
    sources: [sourcePlan("a"), sourcePlan("b")],
  });
  await bench.until(1);
  await bench[Symbol.asyncDispose]();
  await bench.feed[Symbol.asyncDispose]();
  assert(backend.isClosed);
  assertEquals([backend.active.get("a"), backend.active.get("b")], [0, 0]);
  await bench.until(60);
  assertEquals(bench.audience.lines, []);
});
