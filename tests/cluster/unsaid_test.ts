import {
  type KeptUnsaid,
  MAX_UNSAID,
  MAX_UNSAID_CHARS,
  Unsaid,
  type UnsaidKeeper,
} from "../../src/cluster/unsaid.ts";
import { StreamPublisher } from "../../src/cluster/stream_publisher.ts";
import { UnsaidWriter } from "../../src/cluster/unsaid_writer.ts";
import type { JsonText } from "../../src/protocol/codec.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { GRACE_MS, type Member, three } from "./cluster_bench.ts";
import { event, value } from "./entries.ts";
import { FakeServer } from "./nats/fake_server.ts";

const SOON_MS = 4000;

function numbersOf(client: ReturnType<Member["hubs"]["connect"]>): number[] {
  return client.transport.frames.flatMap(({ type, data }) =>
    type === "notification" ? Number(data.n) : []
  );
}

function gapsOf(client: ReturnType<Member["hubs"]["connect"]>): number {
  return client.transport.frames.filter(({ type, data }) => type === "welcome" && data.gap).length;
}

Deno.test("C44: what hubs accept while cut off reaches every client once, or a gap is told", async () => {
  const { bench, one, two, three: last } = await three();
  await using _bench = bench;
  const clients = bench.members.map(({ hubs }) => hubs.connect());
  await one.publish(0);
  await bench.clock.advance(10);
  bench.server.crash();
  await bench.clock.advance(GRACE_MS + 1000);
  assertEquals(bench.roles, ["alone", "alone", "alone"]);
  assertEquals((await two.publish(1)).shared, false);
  const late = two.hubs.connect();
  assertEquals((await two.publish(2)).shared, false);
  assertEquals((await last.publish(3)).shared, false);
  bench.server.isDown = false;
  await bench.clock.advance(SOON_MS);
  assertEquals([...bench.roles].sort(), ["follower", "follower", "leader"]);
  for (const client of clients) assertEquals(numbersOf(client).sort(), [0, 1, 2, 3]);
  // Who heard something of one hub alone may go to another now, and hear it again.
  assertEquals(clients.map(gapsOf), [0, 1, 1]);
  assertEquals(numbersOf(late).sort(), [1, 2, 3], "it came between the two");
  assertEquals([two, last].map(({ cluster }) => cluster.report().unsaid), [0, 0]);
});

Deno.test("C44: one hub that was cut off gives the others what it said, under one epoch", async () => {
  const { bench, one, two } = await three();
  await using _bench = bench;
  const there = two.hubs.connect();
  const here = one.hubs.connect();
  const { epoch } = two.hubs.hub;
  one.isCutOff = true;
  for (const broker of [...bench.server.brokers].slice(0, 1)) broker.lose("cut off");
  await bench.clock.advance(GRACE_MS + 5000);
  assertEquals(one.role, "alone");
  await one.publish(1);
  await two.publish(2);
  // A client of the others comes to the one that is alone: it has not heard what was said there.
  const { session, seq } = there.transport.frames[0]?.data ?? {};
  const comer = one.hubs.connect({
    resume: { session: String(session), epoch, since: Number(seq) },
  });
  await one.publish(3);
  one.isCutOff = false;
  await bench.clock.advance(SOON_MS + 2000);
  assertEquals(bench.roles.filter((role) => role === "leader").length, 1);
  assertEquals(numbersOf(there).sort(), [1, 2, 3]);
  assertEquals(numbersOf(here).sort(), [1, 2, 3]);
  const heard = numbersOf(comer).sort();
  assert(gapsOf(comer) > 0 || `${heard}` === "1,2,3", `${heard}, untold`);
  assertEquals(new Set(heard).size, heard.length, "nothing twice");
});

Deno.test("C44: what is written twice is told once, however much later", async () => {
  const { bench, one, two } = await three();
  await using _bench = bench;
  const client = two.hubs.connect();
  bench.server.crash();
  await bench.clock.advance(GRACE_MS + 1000);
  await one.publish(1);
  bench.server.isDown = false;
  for (const broker of bench.server.brokers) broker.isAmbiguous = true;
  await bench.clock.advance(SOON_MS);
  const [stored] = bench.server.entries.filter(({ text }) => text.includes(`"said"`));
  assert(stored);
  bench.server.store(stored.text, { as: "anyone", id: "another name" });
  await bench.clock.advance(100);
  assertEquals(numbersOf(client), [1]);
});

Deno.test("C44: more than can be kept is told as a gap to the clients of all hubs", async () => {
  const { bench, one, two, three: last } = await three();
  await using _bench = bench;
  const client = last.hubs.connect();
  bench.server.crash();
  await bench.clock.advance(GRACE_MS + 1000);
  for (let n = 0; n < MAX_UNSAID + 3; n++) await two.publish(n);
  const before = gapsOf(client);
  bench.server.isDown = false;
  await bench.clock.advance(SOON_MS);
  assert(gapsOf(client) > before);
  assertEquals(one.cluster.report().unsaid + two.cluster.report().unsaid, 0);
});

Deno.test("Unsaid keeps of values the newest of each channel, and no more than its bounds", () => {
  const unsaid = new Unsaid();
  unsaid.add(value(1), 1);
  unsaid.add(event(2), 1);
  unsaid.add(value(3), 2);
  assertEquals(unsaid.all().map(({ draft }) => draft.data), [`{"n":2}`, "3"] as never);
  const large = "x".repeat(MAX_UNSAID_CHARS / 4) as JsonText;
  for (let n = 0; n < 4; n++) unsaid.add(event(n, { data: large }), 3);
  assertEquals([unsaid.size, unsaid.lost], [4, 2]);
  unsaid.giveUp(unsaid.all()[0]?.id ?? "");
  assertEquals([unsaid.size, unsaid.lost], [3, 3]);
  unsaid.lossTold();
  assertEquals(unsaid.lost, 0);
});

Deno.test("C44: Unsaid gives back what an earlier life of the hub had kept, in order", () => {
  const kept = new Map<string, KeptUnsaid>();
  const keeper = (past: readonly KeptUnsaid[]): UnsaidKeeper => ({
    past,
    keep: (record) => kept.set(record.id, record),
    forget: (id) => kept.delete(id),
  });
  const before = new Unsaid(keeper([]));
  for (const n of [1, 2, 3]) before.add(event(n), 5);
  const [first] = before.all();
  before.remove(first?.id ?? "");
  const after = new Unsaid(keeper([...kept.values()]));
  assertEquals(after.all().map(({ draft }) => draft.data), [`{"n":2}`, `{"n":3}`] as never);
  assertEquals(after.heardBefore, 0, "its clients are gone");
  for (const { id } of after.all()) after.remove(id);
  assertEquals(kept.size, 0);
});

Deno.test("C61: UnsaidWriter tells one gap for all that are owed, and none that another hub told meanwhile", async () => {
  const clock = new FakeClock();
  const server = new FakeServer(clock);
  const publisher = new StreamPublisher({ clock, name: "one" });
  const unsaid = new Unsaid();
  const writer = new UnsaidWriter({ clock, unsaid, publisher, epoch: () => "epoch" });
  const broker = server.connect();
  const write = async (during: () => void = () => {}) => {
    const writing = writer.write(broker);
    during();
    await clock.advance(10_000);
    await writing;
    return server.entries.length;
  };
  assertEquals(await write(), 0, "nothing is owed");
  for (let n = 0; n < 3; n++) writer.oweGap();
  assertEquals([await write(), await write()], [1, 1]);
  writer.oweGap();
  assertEquals(await write(() => writer.heardGap()), 1);
  // Owed while the broker is lost, it is told over the next one.
  writer.oweGap();
  broker.isUnanswered = true;
  const failing = writer.write(broker);
  await clock.advance(10_000);
  broker.lose("connection lost");
  await clock.advance(1000);
  await failing;
  const next = server.connect();
  const writing = writer.write(next);
  await clock.advance(10_000);
  await writing;
  assertEquals(server.entries.length, 2);
});
