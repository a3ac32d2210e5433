import { errorEvent } from "../../src/protocol/error_event.ts";
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { HubBench, text } from "../support/hub_bench.ts";

const EVERYTHING = [
  "a",
  "b",
  "notification",
  "error",
  "rpc_error",
  "connection_error",
  "heartbeat",
];

Deno.test("Hub.connect() welcomes a client first, subscribed to everything by default", async () => {
  await using bench = new HubBench();
  bench.values.set("a", { data: text(1), is_stale: false, cached_at: 5, age_ms: 0 });
  const { transport, session } = bench.connect();
  const [welcome] = transport.frames;
  assertEquals(transport.types, ["welcome", "a"]);
  assertEquals(welcome, {
    type: "welcome",
    timestamp: 1_764_000_000,
    data: {
      session: session.id,
      epoch: bench.hub.epoch,
      seq: 0,
      channels: EVERYTHING,
      heartbeat_ms: 10_000,
      recovered: false,
      gap: false,
    },
  });
});

Deno.test("Hub.connect() says in its welcome which broadcast was the newest", async () => {
  await using bench = new HubBench();
  bench.hub.broadcast("a", text(1));
  bench.hub.broadcast("a", text(2));
  assertEquals(bench.connect().transport.frames[0]?.data.seq, 2);
});

Deno.test("Hub.connect() subscribes to the channels named, and to nothing else", async () => {
  await using bench = new HubBench();
  const { transport } = bench.connect({ channels: ["b"] });
  bench.hub.broadcast("a", text(1));
  bench.hub.broadcast("b", text(2));
  bench.hub.broadcast("heartbeat", text({}));
  assertEquals(transport.types, ["welcome", "b"]);
  assertEquals(transport.frames[0]?.data.channels, ["b"]);
});

Deno.test("Hub.connect() complains of unknown and forbidden channels after the welcome, and stays", async () => {
  await using bench = new HubBench();
  const { transport } = bench.connect({
    channels: ["a", "nonsense", "b"],
    mayRead: (channel) => channel !== "b",
  });
  const codes = transport.frames.map(({ type, data }) => `${type} ${data.code ?? ""}`);
  assertEquals(codes, ["welcome ", "error UNKNOWN_CHANNEL", "error FORBIDDEN_CHANNEL"]);
  assertStringIncludes(String(transport.frames[1]?.data.message), "nonsense");
  assertEquals(transport.frames[0]?.data.channels, ["a"]);
  assertEquals(transport.closed, undefined);
});

Deno.test("Hub.connect() leaves out of everything what the client may not read", async () => {
  await using bench = new HubBench();
  const { transport } = bench.connect({ mayRead: (channel) => channel !== "b" });
  assertEquals(transport.types, ["welcome"]);
  assertEquals(transport.frames[0]?.data.channels, EVERYTHING.filter((each) => each !== "b"));
});

Deno.test("Hub.connect() hands over latest values flagged as they stand now", async () => {
  await using bench = new HubBench();
  const error = errorEvent("RPC_UNAVAILABLE", "cached", { timestamp: 7 });
  bench.values.set("b", { data: text(1), is_stale: true, cached_at: 5, age_ms: 9, error });
  const frame = bench.connect().transport.frames[1];
  assertEquals(frame?.type, "b");
  assertEquals(frame?.data, { data: 1, is_stale: true, cached_at: 5, age_ms: 9, error });
  assert(!("seq" in (frame ?? {})), "it is for this client alone");
});

Deno.test("Hub.broadcast() numbers frames without a gap and sends the same text to all", async () => {
  await using bench = new HubBench();
  const one = bench.connect();
  const two = bench.connect();
  assertEquals([1, 2].map((n) => bench.hub.broadcast("a", text(n))), [1, 2]);
  assertEquals(one.transport.frames.slice(1).map(({ seq }) => seq), [1, 2]);
  assertEquals(one.transport.sent.slice(1), two.transport.sent.slice(1));
  assertEquals(bench.hub.seq, 2);
});

Deno.test("Hub.broadcast() counts also what nobody wants", async () => {
  await using bench = new HubBench();
  assertEquals(bench.hub.broadcast("a", text(1)), 1);
  assertEquals(bench.hub.broadcast("a", text(1)), 2);
});

Deno.test("Hub.error() reaches those subscribed to `error` or to the type itself", async () => {
  await using bench = new HubBench();
  const all = bench.connect({ channels: ["error"] });
  const rpc = bench.connect({ channels: ["rpc_error"] });
  const both = bench.connect({ channels: ["error", "rpc_error"] });
  const none = bench.connect({ channels: ["a"] });
  const { hub } = bench;
  hub.error(errorEvent("RPC_FAILURE", "m", { timestamp: 1 }));
  hub.error(errorEvent("JSON_MARSHAL_ERROR", "m", { timestamp: 1 }));
  assertEquals(all.transport.types, ["welcome", "rpc_error", "error"]);
  assertEquals(rpc.transport.types, ["welcome", "rpc_error"]);
  assertEquals(both.transport.types, ["welcome", "rpc_error", "error"]);
  assertEquals(none.transport.types, ["welcome"]);
  assertEquals(hub.errorMetrics().error_count, 2);
  assertEquals({ ...hub.errorMetrics().errors_by_code }, { RPC_FAILURE: 1, JSON_MARSHAL_ERROR: 1 });
});

Deno.test("Hub.channelsChanged() subscribes those that want everything, and only those", async () => {
  await using bench = new HubBench();
  const all = bench.connect();
  const some = bench.connect({ channels: ["a"] });
  bench.statusChannels.push("c");
  bench.values.set("c", { data: text(1), is_stale: false, cached_at: 5, age_ms: 0 });
  bench.hub.channelsChanged();
  bench.hub.broadcast("c", text(2));
  assertEquals(all.transport.types, ["welcome", "subscribed", "c", "c"]);
  assertEquals(some.transport.types, ["welcome"]);
});

Deno.test("C13: Hub.channelsChanged() brings back no channel that the client left", async () => {
  await using bench = new HubBench();
  const { transport, session } = bench.connect();
  const say = (type: string, channels: string[]) =>
    session.receive(JSON.stringify({ type, channels }), bench.clock.now());
  const channelsNow = () => transport.frames.at(-1)?.data.channels as string[];
  say("unsubscribe", ["a", "rpc_error", "nonsense"]);
  bench.hub.channelsChanged();
  bench.hub.broadcast("a", text(1));
  assertEquals(transport.types.filter((type) => type === "a"), []);

  bench.statusChannels.push("c");
  bench.hub.channelsChanged();
  assertEquals(channelsNow().includes("c"), true, "which has come to be since, and it is told so");
  assertEquals(["a", "rpc_error"].filter((each) => channelsNow().includes(each)), []);

  // The channel goes and comes again: it is still one that the client left.
  bench.statusChannels.shift();
  bench.hub.channelsChanged();
  bench.statusChannels.unshift("a");
  bench.hub.channelsChanged();
  bench.hub.broadcast("a", text(2));
  assertEquals(transport.types.filter((type) => type === "a"), []);

  say("subscribe", ["a"]);
  say("unsubscribe", ["c"]);
  bench.hub.channelsChanged();
  assertEquals(["a", "c"].map((each) => channelsNow().includes(each)), [true, false]);
});
