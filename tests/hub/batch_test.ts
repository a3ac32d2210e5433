import { BATCH_WINDOW_MS } from "../../src/hub/delivery/batch_windows.ts";
import { VALUE_WAIT_MS } from "../../src/hub/delivery/pending_batch.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { HubBench, type TestClient, text } from "../support/hub_bench.ts";

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

Deno.test("a batching client gets an event or an error that comes alone as an object, at once", async () => {
  await using bench = new HubBench();
  const { transport } = bench.connect({ batch: true, channels: ["notification", "error"] });
  for (const type of ["notification", "rpc_error"]) {
    await bench.clock.advance(1000);
    bench.hub.broadcast(type, text({ n: 1 }));
    assertEquals(JSON.parse(transport.sent.at(-1) ?? "").type, type);
  }
});

Deno.test("a batching client gets the values of one tick in one write, soon", async () => {
  await using bench = new HubBench();
  const { transport } = bench.connect({ batch: true, channels: ["a", "b"] });
  await bench.clock.advance(1000);
  transport.sent.length = 0;
  bench.hub.broadcast("a", text({ n: 1 }));
  await bench.clock.advance(VALUE_WAIT_MS - 1); // the other source takes a little longer
  bench.hub.broadcast("b", text({ n: 2 }));
  await bench.clock.advance(1);
  assertEquals(transport.sent.length, 1);
  assertEquals(transport.frames.map(({ type, data }) => `${type} ${data.n}`), ["a 1", "b 2"]);
  await bench.clock.advance(1000);
  bench.hub.broadcast("a", text({ n: 3 }));
  await bench.clock.advance(VALUE_WAIT_MS);
  assertEquals(JSON.parse(transport.sent.at(-1) ?? "").type, "a", "alone, it is no list");
});

Deno.test("an event takes along the values that a batching client waits for", async () => {
  await using bench = new HubBench();
  const { transport } = bench.connect({ batch: true, channels: ["a", "notification"] });
  await bench.clock.advance(1000);
  transport.sent.length = 0;
  bench.hub.broadcast("a", text({ n: 1 }));
  bench.hub.broadcast("notification", text({ n: 2 }));
  assertEquals(transport.sent.length, 1);
  assertEquals(transport.types, ["notification", "a"]);
});

Deno.test("a value that is replaced while it is gathered is counted, and not sent", async () => {
  await using bench = new HubBench();
  const clients = [0, 1].map(() => bench.connect({ batch: true, channels: ["a"] }));
  await bench.clock.advance(1000);
  for (const n of [1, 2, 3]) bench.hub.broadcast("a", text({ n }));
  await bench.clock.advance(VALUE_WAIT_MS);
  for (const { transport } of clients) {
    assertEquals(transport.frames.slice(1).map(({ data }) => data.n), [3]);
  }
  assertEquals(bench.hub.stats.frames().get("a"), { sent: 2, conflated: 4 });
});

Deno.test("batching clients share one timer", async () => {
  await using bench = new HubBench({ outboxMessages: 100 });
  const clients: TestClient[] = [];
  for (let nth = 0; nth < 50; nth++) {
    clients.push(bench.connect({ batch: true, channels: ["notification"] }));
    await bench.clock.advance(1); // nobody's window begins with another's
  }
  await bench.clock.advance(1000);
  const { sleeping } = bench.clock;
  for (let n = 0; n < 5; n++) bench.hub.broadcast("notification", text({ n }));
  assertEquals(bench.clock.sleeping, sleeping + 1);
  await bench.clock.advance(100);
  for (const { transport } of clients) {
    assertEquals(transport.frames.slice(1).map(({ data }) => data.n), [0, 1, 2, 3, 4]);
    assertEquals(transport.sent.length, 3, "the welcome, the first at once, the others together");
  }
});

Deno.test("a batching client that falls behind while frames are gathered misses none", async () => {
  await using bench = new HubBench({ outboxMessages: 100 });
  const [slow, quick] = [0, 1].map(() =>
    bench.connect({ batch: true, channels: ["notification"] })
  );
  if (slow === undefined || quick === undefined) throw new Error("there are two");
  await bench.clock.advance(1000);
  bench.hub.broadcast("notification", text({ n: 0 }));
  slow.transport.isStalled = true;
  slow.transport.bufferedBytes = 1_000_000;
  for (let n = 1; n < 20; n++) {
    bench.hub.broadcast("notification", text({ n }));
    await bench.clock.advance(5);
  }
  await bench.clock.advance(50);
  assertEquals([slow.session.waitingFrames, quick.session.waitingFrames], [19, 0]);
  await bench.release(slow);
  await bench.clock.advance(1000);
  for (const { transport } of [slow, quick]) {
    assertEquals(transport.frames.slice(1).map(({ data }) => data.n), [...new Array(20).keys()]);
  }
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
