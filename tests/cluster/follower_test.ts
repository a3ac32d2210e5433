import { BrokerError } from "../../src/cluster/broker.ts";
import { encodeEntry, type Entry } from "../../src/cluster/entry.ts";
import { CATCH_UP_MS, Follower } from "../../src/cluster/follower.ts";
import { Replica } from "../../src/cluster/replica.ts";
import { ValueStore } from "../../src/values/value_store.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { HubBench, type TestClient } from "../support/hub_bench.ts";
import { claim, EPOCH, event, failure, value } from "./entries.ts";
import type { FakeBroker } from "./fake_broker.ts";
import { FakeServer } from "./nats/fake_server.ts";

/** A hub that follows, and the stream it follows. */
class Bench implements AsyncDisposable {
  readonly hubs = new HubBench({ outboxMessages: 256 });
  readonly clock = this.hubs.clock;
  readonly server: FakeServer;
  readonly values = new ValueStore({ clock: this.clock });
  readonly replica: Replica;
  readonly claims: string[] = [];
  readonly diverged: string[] = [];
  readonly startedOver: string[] = [];
  lost = 0;
  voids = 0;
  readonly follower: Follower;
  broker: FakeBroker;

  constructor(server?: FakeServer) {
    this.server = server ?? new FakeServer(this.clock);
    this.broker = this.server.connect();
    this.values.configure(
      new Map([["a", { feeder: { kind: "backend", backend: "core" }, staleAfterMs: 15_000 }]]),
    );
    this.replica = new Replica({
      clock: this.clock,
      values: this.values,
      isKnown: (channel) => channel === "a",
    });
    this.follower = new Follower({
      clock: this.clock,
      stream: this.hubs.hub.stream,
      replica: this.replica,
      values: this.values,
      onClaim: ({ hub, term }) => this.claims.push(`${hub} ${term}`),
      onLeader: () => {},
      hadBefore: () => 0,
      heardAloneBefore: () => 0,
      onNotThere: () => this.lost += 1,
      onDiverged: ({ from, to }) => this.diverged.push(`${from} to ${to}`),
      onOutOfSuccession: () => this.voids += 1,
      onGap: () => {},
      onStartedOver: (why) => this.startedOver.push(why),
    });
  }

  /** Stores entries; those of leaders over the newest one, unless they say otherwise. */
  async store(...entries: Entry[]): Promise<void> {
    for (const entry of entries) {
      const as = entry.after === undefined ? "anyone" : "leader";
      const over = entry.after === 0 ? this.server.newestOfLeaders?.seq ?? 0 : entry.after;
      const text = encodeEntry(as === "leader" ? { ...entry, after: over } as Entry : entry);
      this.server.store(text, { as, id: crypto.randomUUID() });
    }
    await this.clock.advance(0);
  }

  async join({ onCaughtUp = () => {} } = {}): Promise<string | undefined> {
    const survey = await this.follower.survey(this.broker);
    const joined = this.follower.join(this.broker, survey, {
      onCaughtUp,
      objection: () => undefined,
      isLed: Promise.resolve(), // as one of before this version would say
      onFollowing: () => {},
    });
    joined.catch(() => {}); // told below
    await this.clock.advance(0);
    await joined;
    await this.clock.advance(0);
    return survey.brokenEpoch;
  }

  /** Comes back over a new connection. */
  rejoin(): Promise<string | undefined> {
    this.broker.lose("connection lost");
    this.broker = this.server.connect();
    return this.join();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.broker.lose("the end");
    await this.hubs[Symbol.asyncDispose]();
  }
}

/** What a client was told, in short: welcomes with what they say, the rest by number. */
function story({ transport }: TestClient): string[] {
  return transport.frames.map(({ type, seq, data }) => {
    if (type !== "welcome") return seq === undefined ? type : `${type} ${seq}`;
    return `welcome ${data.epoch} ${data.seq}${data.gap ? " gap" : ""}`;
  });
}

Deno.test("Follower relays the stream under its numbers", async () => {
  await using bench = new Bench();
  await bench.store(claim());
  await bench.join();
  const client = bench.hubs.connect();
  await bench.store(event(2), value(3), failure("RPC_FAILURE", { channel: "a" }));
  assertEquals(story(client), [
    `welcome ${EPOCH} 1`,
    "notification 2",
    "a 3",
    "rpc_error 4",
  ]);
  assertEquals(bench.hubs.hub.errorMetrics().errors_by_code["RPC_FAILURE"], 1);
});

Deno.test("Follower gives its clients what it missed, in order, and of values the newest", async () => {
  await using bench = new Bench();
  await bench.store(claim());
  await bench.join();
  const client = bench.hubs.connect();
  await bench.store(event(2));
  bench.broker.lose("connection lost");
  await bench.store(event(3), value(4), event(5), value(6), claim({ term: 2, hub: "two" }));
  bench.broker = bench.server.connect();
  assertEquals(await bench.join(), undefined);
  await bench.store(event(8));
  assertEquals(story(client), [
    `welcome ${EPOCH} 1`,
    "notification 2",
    "notification 3",
    "notification 5",
    "a 6",
    "notification 8",
  ]);
  assertEquals(bench.claims, ["two 2"]);
});

Deno.test("Follower tells of a gap when what it missed is no longer kept", async () => {
  for (const keeps of [(seq: number) => seq > 4, (seq: number) => seq !== 4]) {
    await using bench = new Bench();
    await bench.store(claim(), event(2));
    await bench.join();
    const client = bench.hubs.connect();
    bench.broker.lose("connection lost");
    await bench.store(event(3), event(4), value(5), event(6));
    bench.server.keep(({ seq }) => keeps(seq));
    bench.broker = bench.server.connect();
    await bench.join();
    await bench.store(event(7));
    const welcomes = story(client).filter((line) => line.startsWith("welcome"));
    assertEquals(welcomes.length, 2);
    assert(welcomes[1]?.endsWith("gap"), welcomes[1]);
    assertEquals(story(client).at(-1), "notification 7");
    const numbers = client.transport.frames.flatMap(({ seq }) => seq ?? []);
    assertEquals(numbers, [...new Set(numbers)].sort((a, b) => a - b));
  }
});

Deno.test("Follower tells of a gap amid its reading, and goes on behind it", async () => {
  await using bench = new Bench();
  await bench.store(claim());
  await bench.join();
  const client = bench.hubs.connect();
  bench.broker.isDeaf = true;
  await bench.store(event(2));
  bench.broker.isDeaf = false;
  await bench.store(event(3));
  assertEquals(story(client), [
    `welcome ${EPOCH} 1`,
    `welcome ${EPOCH} 1 gap`,
    "notification 3",
  ]);
});

Deno.test("Follower turns to a new epoch where a leader claims one, and nobody has missed anything", async () => {
  await using bench = new Bench();
  await bench.store(claim());
  await bench.join();
  const client = bench.hubs.connect();
  await bench.store(event(2), claim({ epoch: "next", term: 2, hub: "two" }), event(4));
  assertEquals(story(client), [
    `welcome ${EPOCH} 1`,
    "notification 2",
    "welcome next 3",
    "notification 4",
  ]);
  assertEquals(bench.claims, ["two 2"]);
});

Deno.test("Follower passes over the words of a leader whose time was over, though the broker let them in", async () => {
  await using bench = new Bench();
  await bench.store(claim(), value(2, { hub: "old" }));
  await bench.join();
  const client = bench.hubs.connect();
  await bench.store(
    claim({ term: 2, hub: "new", after: 2 }),
    value(99, { hub: "old", after: 2 }),
    value(5, { hub: "new", term: 2, after: 3 }),
  );
  assertEquals(story(client).filter((line) => line !== "a"), [`welcome ${EPOCH} 2`, "a 5"]);
  assertEquals(bench.values.read("a")?.data, "5" as never);

  // A hub that reads the same later judges the same.
  await using late = new Bench(bench.server);
  await late.join();
  assertEquals(late.values.read("a")?.data, "5" as never);
});

Deno.test("Follower knows of another life of the stream, and of one that lost its newest entries", async () => {
  for (const forget of ["all", "newest"]) {
    await using bench = new Bench();
    await bench.store(claim(), event(2), event(3));
    await bench.join();
    const client = bench.hubs.connect();
    bench.broker.lose("connection lost");
    bench.server.wipe();
    await bench.store(claim({ epoch: "next" }));
    if (forget === "all") await bench.store(event(2), event(3), event(4), event(5));
    bench.broker = bench.server.connect();
    assertEquals(await bench.join(), EPOCH, "which nobody may lead in any more");
    await bench.store(event(9));
    const seq = forget === "all" ? 5 : 1;
    const later = [`welcome next ${seq} gap`, `notification ${seq + 1}`];
    assertEquals(story(client).slice(-2), later);
  }
});

Deno.test("Follower that joins later has the values and the history, and doubts what failed since", async () => {
  const server = await recordedServer();
  await using bench = new Bench(server);
  await bench.join();
  assertEquals(bench.values.read("a")?.is_stale, true, "the backend is known to be out");
  assertEquals([...bench.replica.backendsOut], ["core"]);
  const resume = { epoch: EPOCH, since: 2 };
  const client = bench.hubs.connect({ resume });
  const numbers = client.transport.frames.flatMap(({ seq }) => seq ?? []);
  assertEquals(numbers, [3, 5]);
  assertEquals(client.transport.frames[0]?.data.recovered, true);
});

/** A stream in which a value was given before its backend went out. */
async function recordedServer(): Promise<FakeServer> {
  await using first = new Bench();
  await first.store(claim(), event(2), event(3), value(4));
  await first.broker.latest.put("a", 4, encodeEntry(value(4)));
  await first.store(failure("CIRCUIT_OPEN", { backend: "core" }));
  return first.server;
}

Deno.test("Follower whose stream cannot be read to its end says so", async () => {
  await using bench = new Bench();
  await bench.store(claim(), event(2));
  bench.broker.read = () => Promise.resolve();
  const joining = bench.join().catch((error) => error);
  await bench.clock.advance(0);
  bench.broker.lose("connection lost");
  const error = await joining;
  assertEquals(error.message, "connection lost");
  assertEquals(bench.hubs.hub.stream.isFollowing, false);
  const late = bench.rejoin(); // over a new connection, which brings nothing either
  bench.broker.read = () => Promise.resolve();
  const failed = late.catch((error) => error);
  await bench.clock.advance(CATCH_UP_MS);
  assertEquals((await failed).message, "the stream could not be read to its end");
  await bench.rejoin();
  assertEquals(bench.hubs.hub.stream.isFollowing, true);
});

Deno.test("C60: Follower that was halted welcomes its clients once, however many holes there are", async () => {
  await using bench = new Bench();
  await bench.store(claim(), event(2));
  await bench.join();
  const client = bench.hubs.connect();
  bench.broker.isDeaf = true;
  for (let n = 3; n <= 40; n++) await bench.store(event(n));
  // Of what was said meanwhile every third is no longer kept.
  bench.server.keep(({ seq }) => seq <= 2 || seq % 3 !== 0);
  bench.broker.isDeaf = false;
  bench.broker.handAll();
  await bench.clock.advance(0);
  await bench.store(event(41));
  const told = story(client);
  assertEquals(told.filter((each) => each.startsWith("welcome")), [
    `welcome ${EPOCH} 2`,
    `welcome ${EPOCH} 2 gap`,
  ]);
  const expected = Array.from({ length: 39 }, (_, at) => at + 3)
    .filter((seq) => seq % 3 !== 0 || seq > 40);
  assertEquals(told.slice(2), expected.map((seq) => `notification ${seq}`));
  // Nobody who has had less can be told that it has everything.
  const { session } = client.transport.frames[0]?.data ?? {};
  const back = bench.hubs.connect({ resume: { session: String(session), epoch: EPOCH, since: 4 } });
  assertEquals(story(back)[0]?.endsWith("gap"), true);
});

Deno.test("C61: Follower tells of a gap where it has read something else than its leader", async () => {
  await using bench = new Bench();
  await bench.store(claim());
  await bench.join();
  const client = bench.hubs.connect();
  await bench.store(event(2), event(3));
  const part = bench.follower.readSince(2);
  assert(part);
  await bench.store(claim({ read: part }));
  assertEquals([story(client).length, bench.diverged], [3, []]);
  await bench.store(event(5), claim({ read: { ...part, sum: "another" } }));
  assertEquals(bench.diverged, ["2 to 3"]);
  assertEquals(story(client).at(-1), `welcome ${EPOCH} 6 gap`);
});

Deno.test("C61: Follower starts over where servers lost what it had read and stored something else there", async () => {
  for (const count of [1, 4]) {
    await using bench = new Bench();
    await bench.store(claim(), event(2), event(3));
    await bench.join();
    const client = bench.hubs.connect();
    bench.broker.lose("connection lost");
    bench.server.loseAfter(2);
    for (let n = 0; n < count; n++) await bench.store(event(30 + n));
    const { message } = await assertRejects(() => bench.rejoin(), BrokerError);
    assertEquals(message, "entry 3 is not the one that this hub has read");
    assertEquals(await bench.rejoin(), EPOCH, "which nobody may lead in any more");
    await bench.store(event(9));
    assertEquals(story(client).slice(1), [
      `welcome ${EPOCH} ${2 + count} gap`,
      `notification ${3 + count}`,
    ]);
    assertEquals(bench.startedOver, [message]);
    // Who comes with what was lost is told, too; and what stands there now is in the history.
    const back = bench.hubs.connect({ resume: { epoch: EPOCH, since: 2 } });
    assertEquals(back.transport.frames.flatMap(({ seq }) => seq ?? []).at(0), 3);
    await bench.rejoin();
    assertEquals(bench.startedOver, [message], "once");
  }
});

Deno.test("C61: Follower remembers that the stream had lost something until it has joined", async () => {
  await using bench = new Bench();
  await bench.store(claim(), event(2), event(3));
  await bench.join();
  const client = bench.hubs.connect();
  bench.broker.lose("connection lost");
  bench.server.loseAfter(2);
  bench.broker = bench.server.connect();
  const onCaughtUp = () => bench.broker.lose("lost again");
  await assertRejects(() => bench.join({ onCaughtUp }), BrokerError);
  await bench.store(event(30), event(31), event(32));
  await bench.rejoin();
  assertEquals(bench.startedOver, ["the stream ends at 2, and this hub has read up to 3"]);
  assertEquals(story(client).at(-1), `welcome ${EPOCH} 5 gap`);
});

Deno.test("Follower reads again what it read in an attempt to join that failed, leaders' words among it", async () => {
  await using bench = new Bench();
  await bench.store(claim());
  await bench.join();
  const client = bench.hubs.connect();
  bench.broker.lose("connection lost");
  await bench.store(failure("RPC_FAILURE", { channel: "a" }), event(3), value(4));
  bench.broker = bench.server.connect();
  const onCaughtUp = () => bench.broker.lose("lost again");
  await assertRejects(() => bench.join({ onCaughtUp }), BrokerError);
  await bench.rejoin();
  await bench.store(value(5));
  assertEquals(story(client).slice(1), ["rpc_error 2", "notification 3", "a 4", "a 5"]);
  assertEquals([bench.startedOver, bench.voids], [[], 0]);
});

Deno.test("C61: Follower that takes no leader's word for one that follows starts over behind them", async () => {
  await using bench = new Bench();
  await bench.store(claim());
  await bench.join();
  const client = bench.hubs.connect();
  // What another copy of the stream holds: a leader's word that the others have never read.
  bench.broker.hand({ seq: 2, text: encodeEntry(value(1, { after: 1 })) });
  await bench.clock.advance(0);
  bench.server.store(encodeEntry(event(2)), { as: "anyone", id: "lost" });
  for (let after = 1, n = 0; n < 4; n++) {
    const seq = 3 + n;
    await bench.store(value(seq, { after }));
    after = seq;
    await bench.clock.advance(2000);
  }
  assertEquals([story(client).length, bench.voids], [2, 4], "they are not told");
  await bench.rejoin();
  assertEquals(bench.startedOver, ["no leader's word follows on what this hub has read"]);
  await bench.store(value(7, { after: 6 }), value(8, { after: 7 }));
  assertEquals(story(client).slice(2), [`welcome ${EPOCH} 6 gap`, "a 7", "a 8"]);
  // A leader that was replaced and falls silent is no reason.
  await bench.store(value(9, { hub: "old", after: 6 }));
  await bench.clock.advance(20_000);
  await bench.rejoin();
  assertEquals(bench.startedOver.length, 1);
});

Deno.test("C61: Follower misses what was acknowledged and does not stand where it was said to", async () => {
  await using bench = new Bench();
  await bench.store(claim());
  await bench.join();
  assertEquals(bench.follower.expect(2, encodeEntry(event(2))), true);
  await bench.store(event(2));
  assertEquals(bench.lost, 0);
  bench.follower.expect(3, encodeEntry(event(3)));
  await bench.store(event(4));
  assertEquals(bench.lost, 1);
});

Deno.test("C46: Follower that catches up on 800 events drops none of its clients", async () => {
  await using bench = new Bench();
  await bench.store(claim());
  await bench.join();
  const clients = Array.from({ length: 13 }, () => bench.hubs.connect());
  bench.broker.lose("connection lost");
  for (let n = 0; n < 800; n++) await bench.store(event(n));
  // Their system takes so much at a time, and the rest when it has gone out.
  for (const { transport } of clients) transport.bufferedBytes = 100_000;
  bench.broker = bench.server.connect();
  await bench.join();
  for (const { transport } of clients) transport.bufferedBytes = 0;
  await bench.clock.advance(1000);
  for (const { transport, session } of clients) {
    assertEquals(session.hasEnded, false);
    assertEquals(transport.frames.filter(({ type }) => type === "notification").length, 800);
  }
});
