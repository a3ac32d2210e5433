/** The broker as it is found: made again, full, read-only, restarted, and large. */
// @ts-types="../../../src/std_types/delay.d.ts"
import { delay } from "@std/async/delay";
import { connectNats } from "../../../src/cluster/nats/transport.ts";
import { connectionOptions } from "../../../src/cluster/nats/address.ts";
import type { NatsBroker } from "../../../src/cluster/nats/broker.ts";
import { BrokerError } from "../../../src/cluster/broker.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../../support/assert.ts";
import { hasNatsServer, NatsServer } from "../../support/nats.ts";
import { meddle } from "../../support/nats_meddler.ts";
import { lossOf, open, readFrom } from "./support.ts";

const ignore = !hasNatsServer();

/** What is kept; nothing while there is nowhere. */
async function valuesOf({ latest }: NatsBroker): Promise<Map<string, unknown>> {
  return await latest.all().catch(() => new Map());
}

const anyone = (id: string) => ({ as: "anyone", id }) as const;

Deno.test({
  name: "C57: a stream is the same one after its server was restarted in order, time after time",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    const ids: string[] = [];
    for (let round = 0; round < 3; round++) {
      await using broker = await open(nats.url, {
        limits: { maxEntries: 100 + round, maxAgeMs: 300_000 },
      });
      await broker.append(`${round}`, anyone(`${round}`));
      ids.push((await broker.state()).id);
      await nats.end();
      await nats.restart();
    }
    assertEquals(ids, [ids[0], ids[0], ids[0]] as never);
  },
});

Deno.test({
  name: "C57: a stream made by a hub of before gets a name that every hub agrees on",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    await meddle(nats.url, (jsm) =>
      jsm.streams.add({
        name: "holdfast_test",
        description: "What Holdfast hubs of one cluster broadcast",
        subjects: ["holdfast.test.lead", "holdfast.test.any"],
        max_msgs_per_subject: 100,
        max_age: 300_000 * 1e6,
      }));
    const brokers = await Promise.all([1, 2, 3].map((n) => open(nats.url, { hub: `${n}` })));
    await using stack = new AsyncDisposableStack();
    for (const broker of brokers) stack.use(broker);
    const states = await Promise.all(brokers.map((broker) => broker.state()));
    assertEquals(new Set(states.map(({ id }) => id)).size, 1);
    await nats.end();
    await nats.restart();
    await using later = await open(nats.url);
    assertEquals((await later.state()).id, states[0]?.id);
  },
});

Deno.test({
  name: "C56: joining what is there asks NATS to make or change no stream",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    await using _first = await open(nats.url);
    const connection = await connectNats(connectionOptions({ servers: [nats.url] }, "listener"));
    const asked: string[] = [];
    connection.subscribe("$JS.API.>", {
      callback: (_, { subject }) => {
        asked.push(subject);
      },
    });
    await connection.flush();
    await using second = await open(nats.url, { hub: "two" });
    await second.state();
    await connection.flush();
    await connection.close();
    assert(asked.some((subject) => subject.includes("STREAM.INFO")), `${asked}`);
    assertEquals(asked.filter((subject) => /STREAM\.(CREATE|UPDATE)/.test(subject)), []);
  },
});

Deno.test({
  name: "C54: a broker that answers and refuses is lost, whatever its reason",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    await using broker = await open(nats.url);
    await broker.append("a", anyone("a"));
    // Full: what does not fit is refused, and everything else is answered.
    await meddle(
      nats.url,
      (jsm) => jsm.streams.update("holdfast_test", { max_msgs: 1, discard: "new" as never }),
    );
    const lost = lossOf(broker);
    const refused: string[] = [];
    const writing = (async () => {
      for (let n = 0; !broker.lost.aborted; n++) {
        const error = await assertRejects(() => broker.append("b", anyone(`b${n}`)), BrokerError);
        refused.push(error.message);
        await broker.lease.take("one").catch(() => {});
      }
    })();
    assertStringIncludes(await lost, "maximum messages exceeded");
    await writing;
    assertStringIncludes(`${refused[0]}`, "maximum messages exceeded");
  },
});

Deno.test({
  name: "C54: a bucket or stream that was deleted is made again",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    await using broker = await open(nats.url);
    assert(await broker.lease.take("one"));
    await broker.latest.put("a", 1, "value");
    await meddle(nats.url, (jsm) => jsm.streams.delete("KV_holdfast_test_latest"));
    for (let n = 2; (await valuesOf(broker)).size === 0; n++) {
      assert(n < 100 && !broker.lost.aborted, "the values' bucket was not made again");
      await broker.latest.put("a", n, "newer").catch(() => delay(200));
    }
    await meddle(nats.url, (jsm) => jsm.streams.delete("KV_holdfast_test_lease"));
    const lost = lossOf(broker);
    await broker.lease.take("one").catch(() => {});
    assertStringIncludes(await lost, "lease");
    await using again = await open(nats.url);
    assert(await again.lease.take("one"));
    await again.append("a", anyone("a"));
    await meddle(nats.url, (jsm) => jsm.streams.delete("holdfast_test"));
    await again.state().catch(() => {});
    await lossOf(again);
    await using anew = await open(nats.url);
    assertEquals((await anew.state()).last, 0);
  },
});

Deno.test({
  name:
    "C54: a stream that was deleted and made anew at once is not read on as if it were the same",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    await using reader = await open(nats.url);
    for (const text of ["a", "b", "c"]) await reader.append(text, anyone(text));
    const { read, until } = await readFrom(reader, 1);
    await until(3);
    const lost = lossOf(reader);
    await meddle(nats.url, (jsm) => jsm.streams.delete("holdfast_test"));
    await using other = await open(nats.url);
    // The numbers go on where the reader stands, in another life of the stream.
    for (const text of ["d", "e", "f", "g", "h"]) await other.append(text, anyone(text));
    await lost;
    assertEquals(read.map(({ text }) => text), ["a", "b", "c"]);
  },
});

Deno.test({
  name: "C55: a reader catches up on 160 MB without being cut off as a slow one",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    await using writer = await open(nats.url, { limits: { maxEntries: 400, maxAgeMs: 300_000 } });
    const value = "x".repeat(500_000);
    for (let n = 0; n < 320; n++) await writer.append(value, anyone(`${n}`));
    await using reader = await open(nats.url);
    const { read, until } = await readFrom(reader, 1);
    await until(320);
    assertEquals([read.length, reader.lost.aborted], [320, false]);
    const { slow_consumers } = await nats.ask("/varz") as { slow_consumers: number };
    assertEquals(slow_consumers, 0);
  },
});
