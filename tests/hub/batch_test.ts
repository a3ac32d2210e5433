import { BATCH_WINDOW_MS } from "../../src/hub/outlet.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { HubBench, text } from "../support/hub_bench.ts";

Deno.test("a batching client gets what waits in one write, lanes in order, values conflated", async () => {
  await using bench = new HubBench();
  const client = bench.connectStalled({ batch: true });
  const { hub } = bench;
  hub.broadcast("a", text({ n: 1 }));
  hub.broadcast("notification", text({ n: 2 }));
  hub.broadcast("a", text({ n: 3 }));
  hub.broadcast("rpc_error", text({ n: 4 }));
  hub.broadcast("b", text({ n: 5 }));
  client.session.receive('{"type":"ping","id":6}', bench.clock.now());
  await bench.release(client);
  assertEquals(client.transport.sent.length, 1);
  assert(Array.isArray(JSON.parse(client.transport.sent[0] ?? "")));
  const order = client.transport.frames.map(({ type, data }) => `${type} ${data.n ?? data.id}`);
  assertEquals(order, ["rpc_error 4", "pong 6", "notification 2", "a 3", "b 5"]);
});

Deno.test("a batching client gets a frame that comes alone as an object, at once", async () => {
  await using bench = new HubBench();
  const { transport } = bench.connect({ batch: true, channels: ["a"] });
  await bench.clock.advance(1000);
  bench.hub.broadcast("a", text({ n: 1 }));
  assertEquals(transport.sent.map((sent) => JSON.parse(sent).type), ["welcome", "a"]);
});

Deno.test("a batching client is written to once in a window, whatever comes", async () => {
  await using bench = new HubBench({ outboxMessages: 100 });
  const { transport } = bench.connect({ batch: true, channels: ["notification"] });
  await bench.clock.advance(1000);
  const before = transport.sent.length;
  for (let n = 0; n < 20; n++) {
    bench.hub.broadcast("notification", text({ n }));
    await bench.clock.advance(BATCH_WINDOW_MS / 4);
  }
  await bench.clock.advance(100);
  assertEquals(transport.frames.slice(1).map(({ data }) => data.n), [...new Array(20).keys()]);
  const writes = transport.sent.length - before;
  assert(writes <= 1 + 20 / 4, `${writes} writes`);
});

Deno.test("a batching client is given as much at a time as fits under the high-water mark", async () => {
  await using bench = new HubBench({ highWaterBytes: 300, outboxMessages: 100 });
  const client = bench.connectStalled({ batch: true, channels: ["notification"] });
  for (let n = 0; n < 30; n++) bench.hub.broadcast("notification", text({ n }));
  await bench.release(client);
  await bench.clock.advance(2000);
  assertEquals(client.transport.frames.map(({ data }) => data.n), [...new Array(30).keys()]);
  for (const sent of client.transport.sent) assert(sent.length <= 400, `${sent.length}`);
});

Deno.test("a batching client is not slow because more comes in a window than may wait", async () => {
  await using bench = new HubBench({ outboxMessages: 4, highWaterBytes: 10_000 });
  const { transport } = bench.connect({ batch: true, channels: ["notification"] });
  for (let n = 0; n < 30; n++) bench.hub.broadcast("notification", text({ n }));
  await bench.clock.advance(100);
  assertEquals(transport.closed, undefined);
  assertEquals(transport.frames.slice(1).map(({ data }) => data.n), [...new Array(30).keys()]);
});

Deno.test("a client that does not batch gets no lists", async () => {
  await using bench = new HubBench();
  const client = bench.connectStalled();
  for (let n = 0; n < 3; n++) bench.hub.broadcast("notification", text({ n }));
  await bench.release(client);
  assertEquals(client.transport.sent.map((sent) => Array.isArray(JSON.parse(sent))), [
    false,
    false,
    false,
  ]);
});
