import type { ErrorEvent } from "../../src/protocol/error_event.ts";
import type { StatusData } from "../../src/protocol/status_data.ts";
import { assert, assertEquals } from "../support/assert.ts";
import {
  backendPlan,
  FeedBench,
  HEALTH,
  sourcePlan,
  type TestSource,
} from "../support/feed_bench.ts";
import { ok, unavailable } from "../support/scripted_backend.ts";
import { ScriptedStreams, value } from "../support/scripted_streams.ts";

/** A feed of one stream, of channel "a"; its first one is open at second 0. */
async function startStream(changes: Partial<TestSource> = {}) {
  const bench: FeedBench = new FeedBench();
  const backend = new ScriptedStreams(() => bench.clock, () => ok(null));
  const source = sourcePlan("a", { call: { method: "a", stream: true }, ...changes });
  await bench.apply({
    backends: [backendPlan(backend, { timeoutMs: 4000 })],
    sources: [source],
  });
  await bench.until(0.001);
  return { bench, backend };
}

/** Each kind of frame in order, the same one in a row once. */
function kinds(bench: FeedBench): string[] {
  const lines = bench.audience.lines.map((line) => line.replace(/^\S+ /, ""));
  return lines.filter((line, at) => line !== lines[at - 1]);
}

Deno.test("StreamReader shows each message as a value, when it comes", async () => {
  const { bench, backend } = await startStream();
  await using _bench = bench;
  assertEquals(bench.feed.untried(), []); // it came about, silent as it is
  await bench.until(1);
  backend.last.give(value(1));
  await bench.until(3);
  backend.last.give(value(2));
  await bench.until(4);
  assertEquals(bench.audience.lines, ["1 a 1 fresh", "3 a 2 fresh"]);
  assertEquals([bench.feed.untried(), backend.streams.length], [[], 1]);
});

Deno.test("StreamReader takes a message for as old as its coming", async () => {
  const { bench, backend } = await startStream();
  await using _bench = bench;
  await bench.until(10);
  backend.last.give(value(1), bench.clock.unixMs() - 2500);
  await bench.until(10.01);
  const [frame] = bench.audience.of<StatusData>("a");
  assertEquals(frame?.age_ms, 2500);
});

Deno.test("StreamReader shows the newest of what comes too fast, and reads no other", async () => {
  const { bench, backend } = await startStream();
  await using _bench = bench;
  for (let at = 1; at <= 1000; at++) {
    backend.last.give(value(at));
    if (at % 10 === 0) await bench.clock.advance(1);
  }
  await bench.until(1);
  const frames = bench.audience.of<StatusData>("a");
  assertEquals(frames.at(-1)?.data as unknown, 1000);
  assert(frames.length >= 2 && frames.length <= 5, `${frames.length} frames`);
  assertEquals(backend.reads, frames.length);
});

Deno.test("StreamReader tells a stream's end as a failure, opens another, and recovers", async () => {
  const { bench, backend } = await startStream();
  await using _bench = bench;
  backend.last.give(value(1));
  await bench.until(1);
  backend.onStream = (stream) => {
    stream.open();
    stream.give(value(2));
  };
  backend.last.end();
  await bench.until(3);
  assertEquals(kinds(bench), ["a 1 fresh", "RPC_FAILURE a", "a 1 stale", "a 2 fresh"]);
  const [failure] = bench.audience.of<ErrorEvent>("RPC_FAILURE");
  assertEquals([failure?.details, failure?.message], [
    "the stream ended",
    'the stream of "a" from backend "core" failed',
  ]);
  assertEquals(backend.streams.length, 2);
});

Deno.test("StreamReader opens the breaker by streams that end, and a stream closes it", async () => {
  const { bench, backend } = await startStream();
  await using _bench = bench;
  backend.last.give(value(1));
  backend.script = () => unavailable();
  await bench.until(1);
  backend.onStream = (stream) => stream.end(unavailable() as never);
  backend.last.end();
  await bench.until(29);
  assertEquals(kinds(bench), [
    "a 1 fresh",
    "RPC_FAILURE a",
    "a 1 stale",
    "RPC_FAILURE a",
    "a 1 stale",
    "RPC_FAILURE a",
    "CIRCUIT_OPEN 30000",
    "a 1 stale",
  ]);
  // At its pace, as those of polls: 1 a 5 s.
  const before = bench.audience.lines.length;
  await bench.until(30);
  assert(bench.audience.lines.length - before <= 1);
  const asked = backend.streams.length;
  backend.onStream = (stream) => {
    stream.open();
    stream.give(value(2));
  };
  await bench.until(45);
  assertEquals(kinds(bench).slice(-2), ["RPC_RECOVERED", "a 2 fresh"]);
  assertEquals(backend.streams.length, asked + 1);
  assertEquals(backend.open, 1);
});

Deno.test("StreamReader: a silent stream that stays open closes a breaker too", async () => {
  const { bench, backend } = await startStream();
  await using _bench = bench;
  backend.script = () => unavailable();
  backend.onStream = (stream) => stream.end();
  backend.last.end();
  await bench.until(20);
  assertEquals(bench.audience.of("CIRCUIT_OPEN").length, 1);
  backend.onStream = (stream) => stream.open();
  await bench.until(60);
  assertEquals(bench.audience.of("RPC_RECOVERED").length, 1);
  assertEquals(bench.feed.backendReports()["core"]?.state, "closed");
  assertEquals(backend.open, 1);
});

Deno.test("StreamReader: without a health check's method a stream is tried, and given up again", async () => {
  const bench: FeedBench = new FeedBench();
  await using _bench = bench;
  const backend = new ScriptedStreams(() => bench.clock, () => unavailable());
  backend.onStream = (stream) => stream.end();
  await bench.apply({
    backends: [backendPlan(backend, {
      timeoutMs: 4000,
      healthCheck: { everyMs: 8000, timeoutMs: 4000 },
    })],
    sources: [sourcePlan("a", { call: { method: "a", stream: true } })],
  });
  await bench.until(8);
  assertEquals(bench.audience.of("CIRCUIT_OPEN").length, 1);
  backend.onStream = (stream) => stream.open();
  await bench.until(20);
  assertEquals(bench.audience.of("RPC_RECOVERED").length, 1);
  assertEquals([backend.calls, backend.open], [[], 1]);
});

Deno.test("StreamReader judges silence by stale_after, and shows it at the source's pace", async () => {
  const { bench, backend } = await startStream();
  await using _bench = bench;
  backend.last.give(value(1));
  await bench.until(31);
  assertEquals(kinds(bench), ["a 1 fresh", "a 1 stale"]);
  const stale = bench.audience.of<StatusData>("a").filter(({ is_stale }) => is_stale);
  assert(stale.length >= 3 && stale.length <= 5, `${stale.length} stale frames`);
  assertEquals(stale[0]?.error?.code, "RPC_UNAVAILABLE");
  backend.last.give(value(2));
  await bench.until(32);
  assertEquals(kinds(bench).at(-1), "a 2 fresh");
  assertEquals([bench.audience.of("RPC_FAILURE").length, backend.streams.length], [0, 1]);
});

Deno.test("StreamReader gives up a stream that does not come about in time", async () => {
  const { bench, backend } = await startStream();
  await using _bench = bench;
  backend.onStream = () => {};
  backend.last.end();
  await bench.until(2.5);
  backend.onStream = (stream) => stream.open();
  await bench.until(8);
  const reasons = bench.audience.of<ErrorEvent>("RPC_FAILURE").map(({ details }) => details);
  assertEquals(reasons, ["the stream ended", "no stream within 4000 ms"]);
  assertEquals(backend.open, 1);
});

Deno.test("StreamReader ends a stream whose message cannot be read", async () => {
  const { bench, backend } = await startStream();
  await using _bench = bench;
  backend.last.give(unavailable("the message is not JSON"));
  await bench.until(0.5);
  const [failure] = bench.audience.of<ErrorEvent>("RPC_FAILURE");
  assertEquals(failure?.details, "the message is not JSON");
  assert(backend.streams[0]?.signal.aborted);
});

Deno.test("StreamReader goes on after a value that cannot be encoded", async () => {
  const { bench, backend } = await startStream();
  await using _bench = bench;
  backend.last.give(value(1));
  await bench.until(1);
  backend.last.give({ kind: "unencodable", reason: "it has a cycle" });
  await bench.until(2);
  backend.last.give(value(3));
  await bench.until(3);
  assertEquals(kinds(bench), ["a 1 fresh", "JSON_MARSHAL_ERROR a", "a 1 stale", "a 3 fresh"]);
  assertEquals(backend.streams.length, 1);
});

Deno.test("StreamReader waits as long as the backend asked before it opens another", async () => {
  const { bench, backend } = await startStream();
  await using _bench = bench;
  backend.last.end({ kind: "unavailable", reason: "later", reopenAfterMs: 20_000 });
  await bench.until(19.9);
  assertEquals(backend.streams.length, 1);
  await bench.until(20.1);
  assertEquals(backend.streams.length, 2);
});

Deno.test("StreamReader gives its stream up when polls open the breaker, and opens another after", async () => {
  const bench: FeedBench = new FeedBench();
  await using _bench = bench;
  let isDown = false;
  const backend = new ScriptedStreams(() => bench.clock, () => isDown ? unavailable() : ok(0));
  await bench.apply({
    backends: [backendPlan(backend)],
    sources: [sourcePlan("a", { call: { method: "a", stream: true } }), sourcePlan("b")],
  });
  await bench.until(1);
  backend.last.give(value(1));
  isDown = true;
  await bench.until(16);
  assertEquals([bench.audience.of("CIRCUIT_OPEN").length, backend.open], [1, 0]);
  assertEquals(bench.values.read("a")?.is_stale, true);
  isDown = false;
  await bench.until(30);
  assertEquals([bench.audience.of("RPC_RECOVERED").length, backend.open], [1, 1]);
  assert(backend.count(HEALTH) > 0);
});

Deno.test("C43: after a standstill of the hub a stream is opened anew", async () => {
  const { bench, backend } = await startStream();
  await using _bench = bench;
  backend.last.give(value(1));
  await bench.until(2);
  bench.clock.stepWall(60_000);
  await bench.until(4);
  assertEquals(backend.streams.length, 2);
  assert(backend.streams[0]?.signal.aborted);
  assertEquals(bench.values.read("a")?.is_stale, true);
  backend.last.give(value(2));
  await bench.until(5);
  assertEquals(bench.values.read("a")?.is_stale, false);
  assertEquals(bench.audience.of("RPC_FAILURE").length, 0);
});

Deno.test("StreamReader gives several channels their parts of each message", async () => {
  const bench: FeedBench = new FeedBench();
  await using _bench = bench;
  const backend = new ScriptedStreams(() => bench.clock, () => ok(null));
  await bench.apply({
    backends: [backendPlan(backend)],
    sources: [
      sourcePlan("a", {
        call: { method: "a", stream: true },
        channels: [{ channel: "a", select: "one" }, { channel: "b", select: "two" }],
      }),
    ],
  });
  await bench.until(1);
  backend.last.give(value({ one: 1, two: 2 }));
  await bench.until(2);
  backend.last.give(value({ one: 3 }));
  await bench.until(3);
  assertEquals(bench.audience.lines, [
    "1 a 1 fresh",
    "1 b 2 fresh",
    "2 RPC_FAILURE b",
    "2 a 3 fresh",
    "2 b 2 stale",
  ]);
});

Deno.test("StreamReader leaves nothing open when its source goes", async () => {
  const { bench, backend } = await startStream();
  await using _bench = bench;
  await bench.apply({ backends: [backendPlan(backend, { timeoutMs: 4000 })], sources: [] });
  await bench.until(1);
  assertEquals([backend.open, bench.audience.lines], [0, []]);
});

Deno.test("a transport without streams says so", async () => {
  const bench: FeedBench = new FeedBench();
  await using _bench = bench;
  const { ScriptedBackend } = await import("../support/scripted_backend.ts");
  await bench.apply({
    backends: [backendPlan(new ScriptedBackend(() => ok(1)))],
    sources: [sourcePlan("a", { call: { method: "a", stream: true } })],
  });
  await bench.until(0.5);
  const [failure] = bench.audience.of<ErrorEvent>("RPC_FAILURE");
  assertEquals(failure?.details, "this transport has no streams");
});
