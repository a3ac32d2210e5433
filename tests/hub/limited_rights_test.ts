import { errorEvent } from "../../src/protocol/error_event.ts";
import { json } from "../../src/protocol/codec.ts";
import { assertEquals } from "../support/assert.ts";
import { HubBench } from "../support/hub_bench.ts";

const timestamp = 1;
const failure = (channel: string) =>
  errorEvent("RPC_FAILURE", "x", { timestamp, data: { channel, backend: "core" } });
const opened = (backend: string) =>
  errorEvent("CIRCUIT_OPEN", "x", { timestamp, data: { backend, retry_after_ms: 5 } });
const lost = errorEvent("CLIENT_DISCONNECTED", "x", { timestamp, data: { client_id: "c" } });

const A = { mayRead: (channel: string) => ["a", "error"].includes(channel) };
const NEITHER = { mayRead: (channel: string) => channel === "error" };

Deno.test("C31: errors reach those who may read a channel that they speak of", async () => {
  await using bench = new HubBench({ outboxMessages: 100 });
  const { hub } = bench;
  const subscribed = { channels: ["error"] };
  const all = bench.connect(subscribed);
  const some = bench.connect({ ...subscribed, ...A });
  const none = bench.connect({ ...subscribed, ...NEITHER });
  for (const event of [failure("a"), failure("b"), opened("core"), opened("other"), lost]) {
    hub.error(event);
  }
  await bench.clock.advance(1000);
  const heard = ({ transport }: typeof all) =>
    transport.frames.slice(1).map(({ data }) => {
      const about = data.data as Record<string, unknown>;
      return about.channel ?? about.backend ?? about.client_id;
    });
  assertEquals(heard(all), ["a", "b", "core", "other", "c"]);
  assertEquals(heard(some), ["a", "core", "c"]);
  assertEquals(heard(none), ["c"]);
});

Deno.test("C31: a resuming client gets no errors of what it may not read, nor do hubs that share a stream tell it", async () => {
  await using bench = new HubBench({ outboxMessages: 100 });
  const { hub } = bench;
  const first = bench.connect({ channels: ["error"], ...A });
  const { epoch, seq } = hub;
  hub.disconnected(first.session, { clean: true, code: 1000 });
  hub.error(failure("b"));
  hub.error(failure("a"));
  const resume = { session: first.session.id, epoch, since: seq };
  const again = bench.connect({ channels: ["error"], ...A, resume });
  assertEquals(again.transport.frames.map(({ data }) => data.code ?? data.recovered), [
    true,
    "RPC_FAILURE",
  ]);
  hub.stream.follow({ epoch: "shared", seq: 10 }, { startsAfter: 0, hasGap: false });
  const from = again.transport.frames.length;
  for (const [at, event] of [failure("b"), failure("a")].entries()) {
    const data = json(event);
    hub.stream.relay({ type: "rpc_error", data, timestamp, seq: 11 + at, code: event.code });
  }
  await bench.clock.advance(1000);
  const codes = again.transport.frames.slice(from).filter(({ type }) => type === "rpc_error");
  assertEquals(codes.map(({ seq }) => seq), [12]);
});

Deno.test("C31: whether a channel exists is not told to whom it is forbidden", async () => {
  await using bench = new HubBench();
  const client = bench.connect({ channels: ["a", "b", "nonsense"], ...A });
  const [, ...told] = client.transport.frames;
  assertEquals(told.map(({ data }) => data.code), ["FORBIDDEN_CHANNEL", "FORBIDDEN_CHANNEL"]);
});

Deno.test("C26: a value that waits is not sent any more once its channel was taken away, or left", async () => {
  for (const batch of [false, true]) {
    await using bench = new HubBench();
    const { hub } = bench;
    const client = bench.connectStalled({ channels: ["a", "b", "error"], batch });
    for (const channel of ["a", "b"]) hub.broadcast(channel, json({ data: 1 }));
    await bench.clock.advance(100);
    assertEquals(hub.changeRights(client.session, { mayRead: (name) => name !== "a" }), true);
    client.transport.isStalled = false;
    client.transport.take();
    await bench.clock.advance(1000);
    assertEquals(client.transport.types, ["subscribed", "b"]);
    const { session } = client;
    assertEquals([session.mayRead("a"), session.subscriptions.channels], [false, ["b", "error"]]);
    assertEquals(hub.changeRights(session, { mayRead: () => true }), false, "it may read more");
  }
  await using bench = new HubBench();
  const client = bench.connectStalled({ channels: ["a", "b"] });
  bench.hub.broadcast("a", json({ data: 1 }));
  client.session.receive(JSON.stringify({ type: "unsubscribe", channels: ["a"] }), 0);
  client.transport.isStalled = false;
  client.transport.take();
  await bench.clock.advance(1000);
  assertEquals(client.transport.types, ["subscribed"]);
});
