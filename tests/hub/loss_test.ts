import { assertEquals } from "../support/assert.ts";
import { settle } from "../support/fake_clock.ts";
import { HubBench, type TestClient, text } from "../support/hub_bench.ts";

/** The clients somebody was told of, notice by notice. */
function lossesTold({ transport }: TestClient): { code: unknown; ids: unknown[] }[] {
  return transport.frames.filter(({ type }) => type === "connection_error").map(({ data }) => {
    const { client_id, client_ids = [client_id] } = data.data as Record<string, unknown>;
    return { code: data.code, ids: client_ids as unknown[] };
  });
}

Deno.test("Hub tells the others once of a client that vanished, whatever its transport says later", async () => {
  await using bench = new HubBench();
  const other = bench.connect({ channels: ["error"] });
  const { session } = bench.connect({ channels: ["connection_error"] });
  for (const end of [{ clean: false, code: 0 }, { clean: false, code: 1006 }]) {
    bench.hub.disconnected(session, end);
  }
  bench.hub.disconnected(session, { clean: true, code: 1005 });
  await bench.clock.advance(5000);
  assertEquals(lossesTold(other), [{ code: "CLIENT_DISCONNECTED", ids: [session.id] }]);
  const { total_clients, read_errors } = bench.hub.errorMetrics();
  assertEquals([total_clients, read_errors], [1, 1]);
});

Deno.test("Hub says nothing of a client that closed in good order", async () => {
  await using bench = new HubBench();
  const other = bench.connect({ channels: ["error"] });
  const { session } = bench.connect();
  bench.hub.disconnected(session, { clean: true, code: 1000 });
  bench.hub.disconnected(session, { clean: false, code: 0 });
  await bench.clock.advance(5000);
  assertEquals(lossesTold(other), []);
  assertEquals(bench.hub.errorMetrics().read_errors, 0);
  assertEquals(bench.hub.size, 1);
});

Deno.test("Hub ends a client after three failed writes in a row and tells the others", async () => {
  await using bench = new HubBench();
  const other = bench.connect({ channels: ["error"] });
  const client = bench.connect({ channels: ["notification"] });
  client.transport.isBroken = true;
  bench.hub.broadcast("notification", text({ n: 1 }));
  await bench.clock.advance(200);
  assertEquals(client.transport.closed?.code, 1011);
  assertEquals(bench.hub.size, 1);
  assertEquals(bench.hub.errorMetrics().write_errors, 3);
  assertEquals(lossesTold(other), [{ code: "CLIENT_DISCONNECTED", ids: [client.session.id] }]);
});

Deno.test("Hub loses nothing to two failed writes in a row", async () => {
  await using bench = new HubBench();
  const { transport } = bench.connect({ channels: ["notification"] });
  let failures = 2;
  const send = transport.send.bind(transport);
  transport.send = (frame: string) => {
    if (failures-- > 0) throw new DOMException("not open", "InvalidStateError");
    send(frame);
  };
  for (let n = 1; n <= 3; n++) bench.hub.broadcast("notification", text({ n }));
  await bench.clock.advance(200);
  assertEquals(transport.frames.slice(1).map(({ data }) => data.n), [1, 2, 3]);
  assertEquals(transport.closed, undefined);
  failures = 2;
  bench.hub.broadcast("notification", text({ n: 4 }));
  await bench.clock.advance(200);
  assertEquals(transport.closed, undefined, "a success in between starts the count anew");
  assertEquals(transport.frames.at(-1)?.data.n, 4);
});

Deno.test("Hub keeps frames in the order of their numbers when a client is lost in a broadcast", async () => {
  await using bench = new HubBench({ outboxMessages: 1 });
  const first = bench.connect();
  const stalled = bench.connectStalled({ channels: ["notification"] });
  const broken = bench.connect({ channels: ["notification"] });
  const last = bench.connect();
  bench.hub.broadcast("notification", text({ n: 1 }));
  await bench.clock.advance(200); // time enough to take something
  broken.transport.isBroken = true;
  for (let n = 2; n <= 4; n++) bench.hub.broadcast("notification", text({ n }));
  bench.hub.broadcast("a", text({ n: 5 }));
  await bench.clock.advance(100);
  assertEquals(stalled.transport.closed?.code, 1013);
  assertEquals(broken.transport.closed?.code, 1013, "events overflowed behind the failed write");
  for (const { transport } of [first, last]) {
    assertEquals(transport.frames.slice(1).map(({ type, seq }) => `${type} ${seq}`), [
      "notification 1",
      "notification 2",
      "notification 3",
      "notification 4",
      "a 5",
      "connection_error 6",
      "connection_error 7",
    ]);
  }
});

Deno.test("Hub folds losses beyond twenty a second into one notice, every id exactly once", async () => {
  await using bench = new HubBench();
  const other = bench.connect({ channels: ["error"] });
  const lost = Array.from({ length: 1100 }, () => bench.connect({ channels: ["a"] }).session);
  for (const session of lost) bench.hub.disconnected(session, { clean: false, code: 0 });
  await settle();
  assertEquals(lossesTold(other).map(({ ids }) => ids.length), Array(20).fill(1));
  await bench.clock.advance(999);
  assertEquals(lossesTold(other).length, 20);
  await bench.clock.advance(1);
  assertEquals(lossesTold(other).slice(20).map(({ ids }) => ids.length), [500, 500, 80]);
  assertEquals(lossesTold(other).flatMap(({ ids }) => ids), lost.map(({ id }) => id));
  assertEquals(bench.hub.errorMetrics().errors_by_code.CLIENT_DISCONNECTED, 1100);
  await bench.clock.advance(60_000);
  assertEquals(lossesTold(other).length, 23);
});

Deno.test("Hub tells a single loss in a new second at once again", async () => {
  await using bench = new HubBench();
  const other = bench.connect({ channels: ["error"] });
  for (let nth = 1; nth <= 3; nth++) {
    const { session } = bench.connect({ channels: ["a"] });
    bench.hub.disconnected(session, { clean: false, code: 0 });
    await settle();
    assertEquals(lossesTold(other).length, nth);
    await bench.clock.advance(1500);
  }
});

Deno.test("Hub keeps the codes apart when it folds losses", async () => {
  await using bench = new HubBench({ outboxMessages: 0 });
  const other = bench.connect({ channels: ["error"] });
  const vanished = Array.from({ length: 25 }, () => bench.connect({ channels: ["a"] }).session);
  const slow = Array.from(
    { length: 3 },
    () => bench.connectStalled({ channels: ["notification"] }),
  );
  bench.hub.broadcast("notification", text({ n: 0 }));
  await bench.clock.advance(200); // time enough to take something
  for (const session of vanished) bench.hub.disconnected(session, { clean: false, code: 0 });
  bench.hub.broadcast("notification", text({ n: 1 }));
  await bench.clock.advance(1000);
  const folded = lossesTold(other).slice(20).map(({ code, ids }) => `${code} ${ids.length}`);
  assertEquals(folded.toSorted(), ["CLIENT_DISCONNECTED 5", `SLOW_CLIENT ${slow.length}`]);
});
