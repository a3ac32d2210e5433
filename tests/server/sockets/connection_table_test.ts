import { ConnectionTable } from "../../../src/server/sockets/connection_table.ts";
import { assertEquals } from "../../support/assert.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const PEER = { hostname: "127.0.0.1", port: 5000 };
const KEY = "127.0.0.1:5000";
const NOTHING = { receivedBytes: 0, ackedBytes: 0 };

function table() {
  const clock = new FakeClock();
  return { clock, table: new ConnectionTable({ clock, requestTimeoutMs: 10_000 }) };
}

Deno.test("C03: ConnectionTable closes what never becomes a request, however it trickles", async () => {
  const { clock, table: connections } = table();
  const verdicts: string[] = [];
  for (let second = 0; second < 13; second++) {
    verdicts.push(connections.seen(KEY, { receivedBytes: second, ackedBytes: 0 }));
    await clock.advance(1000);
  }
  assertEquals(verdicts.indexOf("close"), 11);
  assertEquals(verdicts.at(-1), "abort", "a closed one that stays");
});

Deno.test("C03: ConnectionTable gives a kept-alive connection its time anew after each request", async () => {
  const { clock, table: connections } = table();
  let receivedBytes = 0;
  for (let time = 0; time < 5; time++) {
    const request = connections.request(PEER);
    await clock.advance(60_000);
    assertEquals(connections.seen(KEY, { receivedBytes, ackedBytes: 0 }), "keep", "we answer it");
    request.answered();
    request[Symbol.dispose]();
    request[Symbol.dispose]();
    await clock.advance(9000);
    assertEquals(connections.seen(KEY, { receivedBytes, ackedBytes: 0 }), "keep");
    receivedBytes += 100; // the next one begins, and may take as long again
    await clock.advance(500);
    assertEquals(connections.seen(KEY, { receivedBytes, ackedBytes: 0 }), "keep");
    await clock.advance(9000);
    assertEquals(
      connections.seen(KEY, { receivedBytes: receivedBytes + 1, ackedBytes: 0 }),
      "keep",
    );
  }
  await clock.advance(1500);
  assertEquals(connections.seen(KEY, { receivedBytes: receivedBytes + 2, ackedBytes: 0 }), "close");
});

Deno.test("C03: ConnectionTable closes a connection whose answer nobody takes, not a slow taker's", async () => {
  const { clock, table: connections } = table();
  const request = connections.request(PEER);
  request.answered();
  let ackedBytes = 0;
  for (let second = 0; second < 100; second++) {
    ackedBytes += 1;
    await clock.advance(1000);
    assertEquals(connections.seen(KEY, { receivedBytes: 0, ackedBytes }), "keep");
  }
  await clock.advance(10_001);
  assertEquals(connections.seen(KEY, { receivedBytes: 0, ackedBytes }), "close");
});

Deno.test("ConnectionTable leaves clients alone, and forgets what is gone", async () => {
  const { clock, table: connections } = table();
  const client = connections.client(PEER);
  await clock.advance(1_000_000);
  assertEquals(connections.seen(KEY, NOTHING), "keep");
  connections.endOfRound();
  assertEquals([connections.pending, connections.isAlone(PEER)], [0, true]);
  const another = connections.client(PEER);
  assertEquals(connections.isAlone(PEER), false);
  another[Symbol.dispose]();
  client[Symbol.dispose]();
  connections.seen(KEY, NOTHING);
  connections.endOfRound();
  assertEquals([connections.pending, connections.leastMissed(5)], [1, new Set([KEY])]);
  connections.endOfRound();
  connections.endOfRound();
  assertEquals([connections.pending, connections.leastMissed(5)], [0, new Set<string>()]);
});

Deno.test("ConnectionTable knows an event stream, which is client and request, for one", () => {
  const { table: connections } = table();
  using _request = connections.request(PEER);
  using _client = connections.client(PEER);
  assertEquals(connections.isAlone(PEER), true);
  assertEquals(connections.hasCarriedOthers(PEER), false);
  using _second = connections.request(PEER);
  assertEquals([connections.isAlone(PEER), connections.hasCarriedOthers(PEER)], [false, true]);
});

Deno.test("ConnectionTable does without idle connections first, then without those that take an answer", async () => {
  const { clock, table: connections } = table();
  const peer = (port: number) => ({ hostname: "127.0.0.1", port });
  const key = (port: number) => `127.0.0.1:${port}`;
  const slow = connections.request(peer(1));
  slow.answered();
  await clock.advance(10);
  for (const port of [2, 3]) {
    connections.seen(key(port), NOTHING);
    await clock.advance(10);
  }
  using _client = connections.client(peer(4));
  using _asking = connections.request(peer(5));
  assertEquals([...connections.leastMissed(1)], [key(2)]);
  assertEquals([...connections.leastMissed(9)], [2, 3, 1].map(key));
});

Deno.test("ConnectionTable holds a client's connection until the last client has gone", async () => {
  const { clock, table: connections } = table();
  assertEquals(connections.holdOf(KEY), undefined);
  const client = connections.client(PEER);
  const another = connections.client(PEER);
  const hold = connections.holdOf(KEY);
  assertEquals([hold?.isOver, connections.holdOf(KEY) === hold], [false, true]);
  another[Symbol.dispose]();
  assertEquals(hold?.isOver, false);
  for (let round = 0; round < 3; round++) connections.endOfRound(); // nobody sees it meanwhile
  await clock.advance(100_000);
  client[Symbol.dispose]();
  assertEquals([hold?.isOver, connections.holdOf(KEY)], [true, undefined]);
  connections.endOfRound();
  assertEquals(connections.pending, 1, "not forgotten before the next round could see it");
  assertEquals(connections.seen(KEY, NOTHING), "keep");
  await clock.advance(10_001);
  assertEquals(connections.seen(KEY, NOTHING), "close");
  const next = connections.client(PEER);
  assertEquals(connections.holdOf(KEY)?.isOver, false, "a hold of its own");
  assertEquals(hold?.isOver, true);
  next[Symbol.dispose]();
});

Deno.test("ConnectionTable gives an answer that outlives its client the whole time to be taken", async () => {
  const { clock, table: connections } = table();
  const request = connections.request(PEER);
  request.answered();
  const client = connections.client(PEER);
  connections.holdOf(KEY);
  await clock.advance(100_000);
  client[Symbol.dispose]();
  assertEquals(connections.seen(KEY, NOTHING), "keep");
  await clock.advance(10_001);
  assertEquals(connections.seen(KEY, NOTHING), "close");
});
