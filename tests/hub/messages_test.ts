import { assert, assertEquals, assertFalse, assertStringIncludes } from "../support/assert.ts";
import { HubBench, type TestClient, text } from "../support/hub_bench.ts";

function say(bench: HubBench, { session }: TestClient, message: unknown): void {
  const said = typeof message === "string" ? message : JSON.stringify(message);
  session.receive(said, bench.clock.now());
}

/** What a client heard since the last look: the code of errors, the type of all else. */
function heard({ transport }: TestClient): string[] {
  const frames = transport.frames;
  transport.sent.length = 0;
  return frames.map(({ type, data }) => String(data.code ?? type));
}

Deno.test("Hub answers a ping with its id, ahead of everything and unnumbered", async () => {
  await using bench = new HubBench();
  const client = bench.connect({ channels: ["a"] });
  say(bench, client, { type: "ping", id: 7 });
  say(bench, client, { type: "ping" });
  const [, first, second] = client.transport.frames;
  assertEquals([first?.type, first?.data], ["pong", { id: 7 }]);
  assertEquals([second?.type, second?.data], ["pong", {}]);
  assertEquals(first?.seq, undefined);
});

Deno.test("Hub gives the latest value at once on a subscription, and once", async () => {
  await using bench = new HubBench();
  bench.values.set("a", { data: text(1), is_stale: true, cached_at: 5, age_ms: 10 });
  const client = bench.connect({ channels: ["heartbeat"] });
  say(bench, client, { type: "subscribe", channels: ["a", "b"] });
  const [, subscribed, latest, ...more] = client.transport.frames;
  assertEquals(subscribed?.data, { channels: ["heartbeat", "a", "b"] });
  assertEquals([latest?.type, latest?.data.is_stale], ["a", true]);
  assertEquals(more, [], "b has no value yet");
  heard(client);
  say(bench, client, { type: "subscribe", channels: ["a"] });
  assertEquals(heard(client), ["subscribed"]);
  bench.hub.broadcast("b", text(1));
  assertEquals(heard(client), ["b"]);
});

Deno.test("Hub sends nothing more of a channel that was left", async () => {
  await using bench = new HubBench();
  const client = bench.connect({ channels: ["a", "b"] });
  say(bench, client, { type: "unsubscribe", channels: ["a"] });
  bench.hub.broadcast("a", text(1));
  bench.hub.broadcast("b", text(1));
  assertEquals(heard(client), ["welcome", "subscribed", "b"]);
});

Deno.test("Hub keeps rpc_error, asked for on its own, when `error` is left", async () => {
  await using bench = new HubBench();
  const client = bench.connect({ channels: ["error", "rpc_error"] });
  say(bench, client, { type: "unsubscribe", channels: ["error"] });
  heard(client);
  bench.hub.broadcast("connection_error", text({}));
  bench.hub.broadcast("rpc_error", text({}));
  assertEquals(heard(client), ["rpc_error"]);
  say(bench, client, { type: "unsubscribe", channels: ["rpc_error"] });
  heard(client);
  bench.hub.broadcast("rpc_error", text({}));
  assertEquals(heard(client), []);
});

Deno.test("Hub answers unknown and forbidden channels and does the rest of the message", async () => {
  await using bench = new HubBench();
  const client = bench.connect({ channels: [], mayRead: (channel) => channel !== "b" });
  heard(client);
  say(bench, client, { type: "subscribe", channels: ["zzz", "b", "a", "__proto__"] });
  assertEquals(heard(client), [
    "UNKNOWN_CHANNEL",
    "FORBIDDEN_CHANNEL",
    "UNKNOWN_CHANNEL",
    "subscribed",
  ]);
  assertEquals(client.session.subscriptions.channels, ["a"]);
  say(bench, client, { type: "unsubscribe", channels: ["zzz", "b"] });
  assertEquals(heard(client), ["UNKNOWN_CHANNEL", "subscribed"]);
  assertEquals(client.transport.closed, undefined);
});

Deno.test("Hub closes with 1008 at the twentieth bad message, not before", async () => {
  await using bench = new HubBench();
  const client = bench.connect({ channels: [] });
  const other = bench.connect({ channels: ["error"] });
  heard(client);
  for (let nth = 1; nth < 20; nth++) say(bench, client, nth % 2 ? "nonsense" : { type: "nope" });
  assertEquals(heard(client), Array(19).fill("BAD_MESSAGE"));
  assertEquals(client.transport.closed, undefined);
  say(bench, client, { type: "ping" });
  client.session.receiveBinary(3, bench.clock.now());
  assertEquals(heard(client), ["pong", "BAD_MESSAGE"]);
  assertEquals(client.transport.closed?.code, 1008);
  assertEquals(bench.hub.size, 1);
  say(bench, client, { type: "ping" });
  assertEquals(heard(client), [], "it is deaf and dumb from now on");
  bench.hub.disconnected(client.session, { clean: false, code: 0 });
  await bench.clock.advance(2000);
  assertEquals(heard(other), ["welcome"], "the others need not hear of bad manners");
});

Deno.test("Hub says what was wrong with a message", async () => {
  await using bench = new HubBench();
  const client = bench.connect({ channels: [] });
  say(bench, client, '{"type":"sub"}');
  const frame = client.transport.frames[1];
  assertEquals(
    [frame?.type, frame?.data.component, frame?.data.severity],
    ["error", "hub", "warning"],
  );
  assertStringIncludes(String(frame?.data.message), `"type" is "sub"`);
});

Deno.test("Hub closes with 1009 for a message that is too big, counted in bytes of UTF-8", async () => {
  await using bench = new HubBench({ maxMessageBytes: 100 });
  const pingOf = (id: string) => JSON.stringify({ type: "ping", id });
  const envelope = pingOf("").length;
  const fits = bench.connect({ channels: [] });
  say(bench, fits, pingOf("x".repeat(100 - envelope)));
  say(bench, fits, pingOf("é".repeat((100 - envelope) / 2)));
  assertEquals(heard(fits), ["welcome", "pong", "pong"]);
  for (const id of ["x".repeat(101 - envelope), "€".repeat((100 - envelope) / 3 + 1)]) {
    const client = bench.connect({ channels: [] });
    say(bench, client, pingOf(id));
    assertEquals(client.transport.closed?.code, 1009);
  }
  const binary = bench.connect({ channels: [] });
  binary.session.receiveBinary(101, 0);
  assertEquals(binary.transport.closed?.code, 1009);
  assertEquals(bench.hub.size, 1);
});

Deno.test("Hub limits the rate of messages, forgives a spell and closes a flood with 1008", async () => {
  await using bench = new HubBench({ messagesPerSecond: 5 });
  const client = bench.connect({ channels: [] });
  heard(client);
  const ping = { type: "ping" };
  for (let nth = 0; nth < 7; nth++) say(bench, client, ping);
  assertEquals(heard(client), [...Array(5).fill("pong"), "RATE_LIMITED", "RATE_LIMITED"]);
  await bench.clock.advance(400);
  for (let nth = 0; nth < 3; nth++) say(bench, client, ping);
  assertEquals(heard(client), ["pong", "pong", "RATE_LIMITED"]);
  for (let nth = 3; nth < 20; nth++) say(bench, client, ping);
  assertEquals(client.transport.closed?.code, 1008);
  assertEquals(bench.hub.errorMetrics().errors_by_code.RATE_LIMITED, 20);
});

Deno.test("Hub is not disturbed by a message of a client that has ended", async () => {
  await using bench = new HubBench();
  const client = bench.connect({ channels: ["a"] });
  bench.hub.disconnected(client.session, { clean: true, code: 1000 });
  assert(client.session.hasEnded);
  say(bench, client, { type: "subscribe", channels: ["b"] });
  bench.hub.broadcast("b", text(1));
  assertEquals(heard(client), ["welcome"]);
  assertFalse(client.session.subscriptions.has("b"));
});

Deno.test("Hub answers a message that names a thousand unknown channels in a few frames", async () => {
  await using bench = new HubBench({ maxMessageBytes: 65_536 });
  const client = bench.connect({ channels: ["a"] });
  const others = bench.connect({ channels: ["error"] });
  heard(client);
  heard(others);
  const channels = Array.from({ length: 1000 }, (_, at) => `no_such_${at}`);
  say(bench, client, { type: "subscribe", channels: [...channels, ...channels.slice(0, 24)] });
  const { frames } = client.transport;
  const told = heard(client);
  assertEquals(told.filter((code) => code === "UNKNOWN_CHANNEL").length, 9);
  assertEquals(told.at(-1), "subscribed");
  assertStringIncludes(String(frames[8]?.data.message), "and 991 more like it");
  assertFalse(client.session.hasEnded);
  assertEquals(heard(others), [], "it is nobody else's business");
});
