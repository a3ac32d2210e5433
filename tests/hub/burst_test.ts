import { assertEquals } from "../support/assert.ts";
import { HubBench, text } from "../support/hub_bench.ts";

Deno.test("Hub hands a client that takes nothing one burst, and keeps the rest to itself", async () => {
  await using bench = new HubBench({ highWaterBytes: 100_000, outboxMessages: 100 });
  const client = bench.connect({ channels: ["notification"] });
  const { transport } = client;
  transport.sent.length = 0;
  transport.isStalled = true;
  for (let n = 0; n < 3; n++) bench.hub.broadcast("notification", text({ n }));
  assertEquals(transport.sent.length, 3, "together they are a burst");
  for (let n = 3; n < 10; n++) {
    await bench.clock.advance(150);
    bench.hub.broadcast("notification", text({ n }));
  }
  assertEquals(transport.sent.length, 3, "the runtime gets no more before those are taken");
  assertEquals(client.session.waitingFrames, 7);
  await bench.release(client);
  assertEquals(transport.frames.map((frame) => frame.data.n), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

Deno.test("Hub hands out a burst up to the high water only", async () => {
  await using bench = new HubBench({ highWaterBytes: 300, outboxMessages: 100 });
  const client = bench.connect({ channels: ["notification"] });
  client.transport.sent.length = 0;
  client.transport.isStalled = true;
  for (let n = 0; n < 20; n++) bench.hub.broadcast("notification", text({ n }));
  const sent = client.transport.sent.reduce((bytes, each) => bytes + each.length, 0);
  assertEquals([sent >= 300, sent < 450, client.session.waitingFrames > 10], [true, true, true]);
  await bench.release(client);
});

Deno.test("Hub.wasLostAfterAll() tells the others of a clean end that was none", async () => {
  await using bench = new HubBench();
  const other = bench.connect({ channels: ["error"] });
  const { session } = bench.connect();
  bench.hub.disconnected(session, { clean: true, code: 1005 });
  await bench.clock.advance(10);
  assertEquals(other.transport.types, ["welcome"]);
  bench.hub.wasLostAfterAll(session, "no answer to a ping");
  await bench.clock.advance(10);
  const [, told, ...more] = other.transport.frames;
  assertEquals([told?.data.code, told?.data.data], ["CLIENT_DISCONNECTED", {
    client_id: session.id,
  }]);
  assertEquals(more, []);
  const { read_errors, errors_by_code } = bench.hub.errorMetrics();
  assertEquals([read_errors, errors_by_code.CLIENT_DISCONNECTED], [1, 1]);
});
