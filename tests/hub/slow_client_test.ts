import { assert, assertEquals } from "../support/assert.ts";
import { HubBench, type TestClient, text } from "../support/hub_bench.ts";

/** What was sent, told apart by its type and its value. */
function told({ transport }: TestClient): string[] {
  return transport.frames.map(({ type, data }) => {
    const { n, code, channels } = data;
    return `${type} ${n ?? code ?? channels ?? ""}`.trim();
  });
}

Deno.test("Hub holds frames back from a stalled client and sends control, events, then values", async () => {
  await using bench = new HubBench();
  const client = bench.connectStalled();
  const { hub } = bench;
  hub.broadcast("a", text({ n: 1 }));
  hub.broadcast("notification", text({ n: 2 }));
  hub.broadcast("b", text({ n: 3 }));
  hub.broadcast("rpc_error", text({ n: 4 }));
  hub.broadcast("notification", text({ n: 5 }));
  hub.broadcast("heartbeat", text({ n: 6 }));
  client.session.receive('{"type":"ping"}', bench.clock.now());
  assertEquals(told(client), []);
  assertEquals(client.session.waitingFrames, 7);
  await bench.release(client);
  assertEquals(told(client), [
    "rpc_error 4",
    "heartbeat 6",
    "pong",
    "notification 2",
    "notification 5",
    "a 1",
    "b 3",
  ]);
  assertEquals(client.transport.closed, undefined);
});

Deno.test("Hub replaces a waiting value by a newer one, which keeps its turn", async () => {
  await using bench = new HubBench();
  const client = bench.connectStalled();
  for (const [type, n] of [["a", 1], ["b", 1], ["b", 2], ["a", 2], ["a", 3]] as const) {
    bench.hub.broadcast(type, text({ n }));
  }
  await bench.release(client);
  assertEquals(told(client), ["a 3", "b 2"]);
});

Deno.test("Hub keeps only the newest of waiting heartbeats", async () => {
  await using bench = new HubBench();
  const client = bench.connectStalled();
  for (let n = 0; n < 1000; n++) bench.hub.broadcast("heartbeat", text({ n }));
  assertEquals(client.session.waitingFrames, 1);
  await bench.release(client);
  assertEquals(told(client), ["heartbeat 999"]);
});

Deno.test("Hub sends no value late once a newer one was sent", async () => {
  await using bench = new HubBench();
  const client = bench.connectStalled();
  bench.hub.broadcast("a", text({ n: 1 }));
  client.transport.isStalled = false;
  client.transport.take(); // there is room again, but the hub has not looked yet
  bench.hub.broadcast("a", text({ n: 2 }));
  await bench.release(client);
  assertEquals(told(client), ["a 2"]);
});

Deno.test("Hub hands over only as much as fits under the high-water mark at a time", async () => {
  await using bench = new HubBench({ highWaterBytes: 100, outboxMessages: 50 });
  const client = bench.connectStalled();
  for (let n = 0; n < 20; n++) bench.hub.broadcast("notification", text({ n }));
  for (let look = 0; look < 200 && told(client).length < 20; look++) {
    const before = client.transport.sent.length;
    client.transport.take();
    await bench.clock.advance(50);
    assert(client.transport.sent.length - before <= 2, "a hundred bytes are two frames");
  }
  assertEquals(told(client), Array.from({ length: 20 }, (_, n) => `notification ${n}`));
});

Deno.test("Hub ends a client whose events overflow: told next, closed 1013, others told once", async () => {
  await using bench = new HubBench({ outboxMessages: 4 });
  const other = bench.connect({ channels: ["connection_error"] });
  const client = bench.connectStalled({ channels: ["notification"] });
  for (let n = 1; n <= 4; n++) bench.hub.broadcast("notification", text({ n }));
  await bench.clock.advance(100);
  assertEquals([told(client), client.transport.closed], [[], undefined]);
  bench.hub.broadcast("notification", text({ n: 5 }));
  assertEquals(told(client), ["connection_error SLOW_CLIENT"], "its next frame, subscribed or not");
  const [own] = client.transport.frames;
  assertEquals([own?.data.component, own?.data.severity], ["hub", "warning"]);
  assertEquals(client.transport.closed?.code, 1013);
  assertEquals(bench.hub.size, 1);
  bench.hub.broadcast("notification", text({ n: 6 }));
  bench.hub.disconnected(client.session, { clean: false, code: 0 });
  await bench.clock.advance(5000);
  assertEquals(client.transport.sent.length, 1);
  assertEquals(told(other), ["welcome connection_error", "connection_error SLOW_CLIENT"]);
  assertEquals(other.transport.frames[1]?.data.data, { client_id: client.session.id });
  const { slow_client_drops, read_errors, errors_by_code } = bench.hub.errorMetrics();
  assertEquals([slow_client_drops, read_errors, errors_by_code.SLOW_CLIENT], [1, 0, 1]);
});

Deno.test("Hub ends a client that takes nothing for the stall timeout, whatever waits", async () => {
  await using bench = new HubBench({ stallTimeoutMs: 15_000 });
  const client = bench.connectStalled({ channels: ["a"] });
  bench.hub.broadcast("a", text({ n: 1 }));
  await bench.clock.advance(14_000);
  assertEquals(client.transport.closed, undefined);
  await bench.clock.advance(2500);
  assertEquals(client.transport.closed?.code, 1013);
  assertEquals(told(client), ["connection_error SLOW_CLIENT"]);
});

Deno.test("Hub does not end a client for which nothing waits", async () => {
  await using bench = new HubBench({ stallTimeoutMs: 15_000 });
  const { transport } = bench.connect({ channels: ["a"] });
  await bench.clock.advance(100_000);
  transport.isStalled = true;
  bench.hub.broadcast("a", text({ n: 1 })); // its time begins with this frame, not before
  await bench.clock.advance(14_000);
  assertEquals(transport.closed, undefined);
  await bench.clock.advance(2500);
  assertEquals(transport.closed?.code, 1013);
});

Deno.test("Hub does not take a trickle for a stall", async () => {
  await using bench = new HubBench({ stallTimeoutMs: 15_000 });
  const client = bench.connectStalled({ channels: ["a"] });
  for (let second = 0; second < 120; second += 10) {
    bench.hub.broadcast("a", text({ n: second }));
    client.transport.take(1);
    await bench.clock.advance(10_000);
  }
  assertEquals(client.transport.closed, undefined);
  await bench.clock.advance(16_500);
  assertEquals(client.transport.closed?.code, 1013);
});

Deno.test("Hub judges nobody by the time in which the process itself stood still", async () => {
  await using bench = new HubBench({ stallTimeoutMs: 15_000 });
  const client = bench.connectStalled({ channels: ["a"] });
  await bench.clock.advance(5000);
  await bench.clock.jump(60_000);
  assertEquals(client.transport.closed, undefined);
  await bench.clock.advance(8000);
  assertEquals(client.transport.closed, undefined, "13 s of the 73 count");
  await bench.clock.advance(4500);
  assertEquals(client.transport.closed?.code, 1013);
});

Deno.test("Hub remembers why a slow client was closed until it comes back", async () => {
  await using bench = new HubBench({ outboxMessages: 1 });
  const { session } = bench.connectStalled({ channels: ["notification"] });
  const { hub } = bench;
  const since = hub.seq;
  hub.broadcast("notification", text({ n: 1 }));
  await bench.clock.advance(200); // time enough to take something
  hub.broadcast("notification", text({ n: 2 }));
  const resume = { session: session.id, epoch: hub.epoch, since };
  const back = bench.connect({ channels: ["notification"], resume });
  const [welcome] = back.transport.frames;
  assertEquals(
    [welcome?.data.previous_close, welcome?.data.recovered, welcome?.data.gap],
    ["SLOW_CLIENT", true, false],
  );
  await bench.clock.advance(60);
  assertEquals(told(back).slice(1), ["notification 1", "notification 2"]);
});

Deno.test("C07: Hub takes bytes acknowledged for progress, though none leave the runtime", async () => {
  await using bench = new HubBench({ stallTimeoutMs: 3000 });
  const client = bench.connectStalled({ channels: ["a"] });
  const { transport } = client;
  transport.acknowledgedBytes = 5000;
  bench.hub.broadcast("a", text({ n: 1 }));
  for (let second = 0; second < 30; second++) {
    await bench.clock.advance(1000);
    transport.acknowledgedBytes += 100_000;
  }
  assertEquals(transport.closed, undefined, "it takes 100 KB a second");
  await bench.clock.advance(4000);
  assertEquals(transport.closed?.code, 1013);
});

for (const batch of [false, true]) {
  const kind = batch ? "batched" : "single";
  Deno.test(`C46: Hub drops nobody for a burst of its own making, and hands it out as it is taken (${kind})`, async () => {
    await using bench = new HubBench({ highWaterBytes: 1000, outboxMessages: 16 });
    const channels = ["notification"];
    const lossy = bench.connectStalled({ channels, batch });
    bench.hub.broadcast("notification", text({ n: -1 }));
    await bench.clock.advance(200);
    const clients = Array.from({ length: 13 }, () => bench.connect({ channels, batch }));
    for (const { transport } of clients) transport.isStalled = true; // in a turn nothing is taken
    for (let n = 0; n < 800; n++) bench.hub.broadcast("notification", text({ n }));
    assertEquals(lossy.transport.closed?.code, 1013, "it had the time to take something");
    for (let turn = 0; turn < 500; turn++) {
      for (const { transport } of clients) transport.take();
      await bench.clock.advance(10);
    }
    const all = ["welcome", ...Array.from({ length: 800 }, (_, n) => n)];
    for (const { transport } of clients) {
      assertEquals(transport.frames.map(({ type, data }) => data.n ?? type), all);
      assertEquals(transport.closed, undefined);
    }
  });
}

Deno.test("C46: Hub drops who takes a burst more slowly than it may last", async () => {
  await using bench = new HubBench({ highWaterBytes: 100, outboxMessages: 4 });
  const client = bench.connect({ channels: ["notification"] });
  client.transport.isStalled = true;
  for (let tick = 0; tick < 500 && client.transport.closed === undefined; tick++) {
    for (let n = 0; n < 10; n++) bench.hub.broadcast("notification", text({ n }));
    client.transport.take(60);
    await bench.clock.advance(50);
  }
  assertEquals(client.transport.closed?.code, 1013);
});
