import { decodeEntry } from "../../src/cluster/entry.ts";
import { type Claimed, Leadership, TRY_EVERY_MS } from "../../src/cluster/leadership.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import type { FakeBroker } from "./fake_broker.ts";
import { FakeServer } from "./nats/fake_server.ts";

const LEASE_MS = 5000;

/** A contender, with what it was told. */
class Contender {
  readonly leadership: Leadership;
  readonly told: string[] = [];
  claimed: Claimed | undefined;
  /** What it has read, if it has read all. */
  lastThatCounts: number | undefined;
  broker: FakeBroker;
  #server: FakeServer;

  constructor(server: FakeServer, clock: FakeClock, hub: string) {
    this.#server = server;
    this.broker = server.connect();
    this.leadership = new Leadership({
      clock,
      leaseMs: LEASE_MS,
      hub,
      lastOfLeaders: () => this.lastThatCounts,
      epochAfter: (last) => last,
      onClaimed: (claimed) => {
        this.claimed = claimed;
        this.told.push("claimed");
      },
      onKept: () => {},
      onDeposed: () => this.told.push("deposed"),
    });
  }

  run(): Promise<void> {
    return this.leadership.run(this.broker);
  }

  /** Says something as a leader, over its own claim. */
  async speaks(): Promise<string> {
    const fence = this.claimed?.seq ?? 0;
    const id = crypto.randomUUID();
    return (await this.broker.append("word", { as: "leader", id, fence })).kind;
  }

  reconnect(): void {
    this.broker = this.#server.connect();
  }
}

function race(...hubs: string[]) {
  const clock = new FakeClock();
  const server = new FakeServer(clock, { leaseMs: LEASE_MS });
  return { clock, server, contenders: hubs.map((hub) => new Contender(server, clock, hub)) };
}

Deno.test("Leadership.tryNow() lets one of many lead", async () => {
  const { server, contenders } = race("one", "two", "three");
  const won = await Promise.all(
    contenders.map(({ leadership, broker }) => leadership.tryNow(broker)),
  );
  assertEquals(won.filter(Boolean).length, 1);
  assertEquals(contenders.filter(({ claimed }) => claimed).length, 1);
  assertEquals(contenders.map(({ leadership }) => leadership.isHeld), won);
  assertEquals(server.entries.length, 1, "one claim");
});

Deno.test("Leadership renews for as long as it leads, so that nobody else can", async () => {
  const { clock, contenders: [one, two] } = race("one", "two");
  assert(one && two);
  const running = [one, two].map((each) => each.run());
  await clock.advance(100_000);
  const leads = [one, two].filter(({ leadership }) => leadership.isHeld);
  assertEquals(leads.length, 1);
  assertEquals([...one.told, ...two.told], ["claimed"], "the first one, once");
  for (const { broker } of [one, two]) broker.lose("the end");
  await clock.advance(0);
  await Promise.all(running);
  assertEquals(clock.sleeping, 0);
});

Deno.test("Leadership is taken over when its lease runs out, in the same epoch and a later term", async () => {
  const { clock, server, contenders: [one, two] } = race("one", "two");
  assert(one && two);
  await one.leadership.tryNow(one.broker);
  void two.run();
  await clock.advance(LEASE_MS - 10);
  assertEquals(two.claimed, undefined, "not a moment too soon");
  await clock.advance(TRY_EVERY_MS + 10);
  assert(two.claimed && one.claimed);
  assert(two.claimed.term > one.claimed.term);
  assertEquals(two.claimed.epoch, one.claimed.epoch);
  const claims = server.entries.map(({ text }) => decodeEntry(text)?.after);
  assertEquals(claims, [0, 1], "written over the one before");
  two.broker.lose("the end");
  await clock.advance(0);
});

Deno.test("Leadership that stood still writes nothing when it wakes up, and finds out", async () => {
  const { clock, contenders: [one, two] } = race("one", "two");
  assert(one && two);
  void one.run();
  await clock.advance(TRY_EVERY_MS);
  assertEquals(one.told, ["claimed"]);
  // Its process stands still: time passes and none of its timers runs.
  one.broker.isUnanswered = true;
  const running = two.run();
  await clock.advance(LEASE_MS + 2 * TRY_EVERY_MS);
  one.broker.isUnanswered = false;
  assertEquals(two.told, ["claimed"]);
  assertEquals(one.leadership.isHeld, false, "by its own clock");
  assertEquals(await one.speaks(), "fenced", "what it had in hand");
  assertEquals(await two.speaks(), "stored");
  await clock.advance(LEASE_MS);
  assertEquals(one.told, ["claimed", "deposed"]);
  for (const { broker } of [one, two]) broker.lose("the end");
  await clock.advance(0);
  await running;
});

Deno.test("Leadership claims over words of the leader before that arrive in the last moment", async () => {
  const { server, contenders: [one, two] } = race("one", "two");
  assert(one && two);
  await one.leadership.tryNow(one.broker);
  await one.leadership.letGo(one.broker);
  let late = 2;
  const { broker } = two;
  const newestOfLeaders = broker.newestOfLeaders.bind(broker);
  broker.newestOfLeaders = async () => {
    const newest = await newestOfLeaders();
    const fence = newest?.seq ?? 0;
    if (late-- > 0) server.store("late", { as: "leader", id: `late ${late}`, fence });
    return newest;
  };
  assertEquals(await two.leadership.tryNow(broker), true);
  assertEquals(two.claimed?.seq, 4, "behind both of them");
});

Deno.test("Leadership.letGo() hands over at once, and never leads again", async () => {
  const { clock, contenders: [one, two] } = race("one", "two");
  assert(one && two);
  await one.leadership.tryNow(one.broker);
  const running = two.run();
  await clock.advance(10);
  await one.leadership.letGo(one.broker);
  await clock.advance(10);
  assertEquals(two.told, ["claimed"], "long before the lease would have run out");
  assertEquals(await one.leadership.tryNow(one.broker), false);
  two.broker.lose("the end");
  await clock.advance(0);
  await running;
});

Deno.test("Leadership takes back its own lease after a short absence", async () => {
  const { clock, contenders: [one] } = race("one");
  assert(one);
  const running = one.run();
  await clock.advance(TRY_EVERY_MS);
  const before = one.claimed;
  one.broker.lose("connection reset");
  await clock.advance(0);
  await running;
  assertEquals(one.leadership.isHeld, false, "nothing is sure without the broker");
  one.reconnect();
  assertEquals(await one.leadership.tryNow(one.broker), true);
  assertEquals(one.claimed?.epoch, before?.epoch);
  assert((one.claimed?.term ?? 0) > (before?.term ?? 0));
});

Deno.test("Leadership is given up when the broker answers nothing for as long as the lease", async () => {
  const { clock, contenders: [one] } = race("one");
  assert(one);
  const running = one.run();
  await clock.advance(TRY_EVERY_MS);
  one.broker.isUnanswered = true;
  await clock.advance(LEASE_MS * 2);
  assertEquals(one.told, ["claimed", "deposed"]);
  one.broker.isUnanswered = false;
  await clock.advance(TRY_EVERY_MS);
  assertEquals(one.told, ["claimed", "deposed", "claimed"]);
  one.broker.lose("the end");
  await clock.advance(0);
  await running;
});

Deno.test("C61: Leadership claims over the last word that counts, where the newest is one that does not", async () => {
  const { server, contenders: [one] } = race("one");
  assert(one);
  const claims = () => server.entries.map(({ text }) => decodeEntry(text)?.after);
  await one.leadership.tryNow(one.broker);
  // Servers let a second one in over the same word as the claim.
  server.isLax = true;
  server.store("void", { as: "leader", id: "stray", fence: 0 });
  server.isLax = false;
  one.lastThatCounts = 1;
  await one.leadership.tryNow(one.broker);
  one.lastThatCounts = undefined;
  await one.leadership.tryNow(one.broker);
  assertEquals(claims(), [0, undefined, 1, 3], "who has not read it takes the newest");
});
