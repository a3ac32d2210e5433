/** The broker against a real nats-server. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connectionOptions } from "../../../src/cluster/nats/address.ts";
import { connectNats } from "../../../src/cluster/nats/transport.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { eventually } from "../../support/eventually.ts";
import { hasNatsServer, NatsServer } from "../../support/nats.ts";
import { open, readFrom } from "./support.ts";

const ignore = !hasNatsServer();

Deno.test({
  name: "NatsBroker stores entries in order, behind a fence, each name once",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    await using one = await open(nats.url);
    await using two = await open(nats.url, { hub: "two" });
    assertEquals(await one.newestOfLeaders(), undefined);
    assertEquals(await one.append("a", named("a", 0)), { kind: "stored", seq: 1 });
    assertEquals(await two.append("b", named("b", 0)), { kind: "fenced" });
    const event = { as: "anyone", id: "event" } as const;
    assertEquals(await two.append("c", event), { kind: "stored", seq: 2 });
    assertEquals(await two.append("c", event), { kind: "stored", seq: 2 }, "under the same name");
    assertEquals(await two.append("d", named("d", 1)), { kind: "stored", seq: 3 });
    assertEquals(await one.append("a", named("a", 0)), { kind: "stored", seq: 1 }, "asked again");
    assertEquals(await one.newestOfLeaders(), { seq: 3, text: "d" });
    const { id, first, last } = await one.state();
    assertEquals([first, last], [1, 3]);
    assertEquals((await two.state()).id, id);
    const reader = await readFrom(one, 2);
    await two.append("e", event);
    await two.append("e", { as: "anyone", id: "another" });
    await reader.until(3);
    assertEquals(reader.read.map(({ seq, text }) => `${seq} ${text}`), ["2 c", "3 d", "4 e"]);
  },
});

Deno.test({
  name: "NatsBroker keeps of each channel the newest value, whoever writes it",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    await using one = await open(nats.url);
    await using two = await open(nats.url);
    await one.latest.put("a", 5, "five");
    await two.latest.put("a", 7, "seven");
    await one.latest.put("a", 6, "six\nof two lines");
    await one.latest.put("b", 8, "six\nof two lines");
    const expected = [["a", { seq: 7, text: "seven" }], [
      "b",
      { seq: 8, text: "six\nof two lines" },
    ]];
    assertEquals([...await two.latest.all()].sort(), expected as never);
  },
});

Deno.test({
  name: "NatsBroker says what is too large, and takes what is just not",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    await using broker = await open(nats.url);
    const tooLarge = await broker.append("x".repeat(1024 * 1024), named("large", 0));
    assert(tooLarge.kind === "too_large", tooLarge.kind);
    const fits = await broker.append("x".repeat(tooLarge.maxBytes), named("fits", 0));
    assertEquals(fits.kind, "stored");
  },
});

Deno.test({
  name: "C62: NatsBroker makes a stream and a lease larger where a hub needs it, and never smaller",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    {
      await using first = await open(nats.url);
      await first.append("a", named("a", 0));
    }
    await using broker = await open(nats.url, {
      limits: { maxEntries: 20, maxAgeMs: 600_000 },
      leaseMs: 60_000,
    });
    await using _shorter = await open(nats.url, { leaseMs: 2000 });
    assertEquals(await broker.newestOfLeaders(), { seq: 1, text: "a" }, "nothing is lost by it");
    const connection = await connectNats(connectionOptions({ servers: [nats.url] }, "test"));
    try {
      const jsm = await jetstreamManager(connection);
      const limitsOf = async (name: string) => (await jsm.streams.info(name)).config;
      const { max_msgs_per_subject, max_age } = await limitsOf("holdfast_test");
      assertEquals([max_msgs_per_subject, max_age], [100, 600_000 * 1e6]);
      assertEquals((await limitsOf("KV_holdfast_test_lease")).max_age, 60_000 * 1e6);
    } finally {
      await connection.close();
    }
  },
});

Deno.test({
  name: "NatsBroker carries what is said to those that listen now",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    await using one = await open(nats.url);
    await using two = await open(nats.url);
    await using foreign = await open(nats.url, { cluster: "another" });
    const heard: string[] = [];
    two.listen("topic", (text) => heard.push(text));
    foreign.listen("topic", (text) => heard.push(`foreign ${text}`));
    await Promise.all([two.state(), foreign.state()]); // by then the server knows who listens
    one.say("other", "no");
    one.say("topic", "yes");
    await eventually("it is heard", () => heard.length > 0);
    await Promise.all([two.state(), foreign.state()]);
    assertEquals(heard, ["yes"], "and not by another cluster");
  },
});

function named(text: string, fence?: number) {
  return { as: "leader", id: text, ...(fence === undefined ? {} : { fence }) } as const;
}
