/** The engine against a real nats-server. */
import { jetstreamManager } from "@nats-io/jetstream";
import { EngineError, type Stored } from "../../src/cluster/engine.ts";
import { connectionOptions, type NatsAddress } from "../../src/cluster/nats_address.ts";
import { NatsEngine, type NatsEngineOptions } from "../../src/cluster/nats_engine.ts";
import { connectNats } from "../../src/cluster/nats_transport.ts";
import { systemClock } from "../../src/resilience/clock.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { OLD, RENEWED } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { hasNatsServer, NatsServer } from "../support/nats.ts";
import { NatsCluster } from "../support/nats_cluster.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";
import { Watched, within } from "../support/until.ts";

const ignore = !hasNatsServer();

const LOGIN = { user: "hub", password: "s3cret/of:hubs" };

function open(
  address: string | NatsAddress,
  changes: Partial<NatsEngineOptions> = {},
): Promise<NatsEngine> {
  return NatsEngine.open({
    clock: systemClock,
    address: typeof address === "string" ? { servers: [address] } : address,
    cluster: "test",
    hub: "one",
    limits: { maxEntries: 100, maxAgeMs: 300_000 },
    leaseMs: 1000,
    ...changes,
  }, new AbortController().signal);
}

/** Resolves with why the engine was lost. */
function lossOf({ lost }: NatsEngine): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const tell = () => resolve(lost.reason.message);
  if (lost.aborted) tell();
  else lost.addEventListener("abort", tell, { once: true });
  return within(promise, { explain: () => "the engine was not lost" });
}

/** Reads on and keeps what came. */
async function readFrom(engine: NatsEngine, from: number) {
  const read: Stored[] = [];
  const watched = new Watched();
  await engine.read(from, (entry) => {
    read.push(entry);
    watched.changed();
  });
  const explain = () => `read ${read.map(({ seq }) => seq)}`;
  const until = (count: number) =>
    watched.until(() => read.length >= count || undefined, { explain });
  return { read, until };
}

function named(text: string, fence?: number) {
  return { as: "leader", id: text, ...(fence === undefined ? {} : { fence }) } as const;
}

Deno.test({
  name: "NatsEngine stores entries in order, behind a fence, each name once",
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
  name: "NatsEngine grants its lease to one of many, for as long as it is renewed",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    await using stack = new AsyncDisposableStack();
    const engines = await Promise.all([1, 2, 3, 4].map((n) => open(nats.url, { hub: `${n}` })));
    for (const engine of engines) stack.use(engine);
    const terms = await Promise.all(engines.map(({ lease }, at) => lease.take(`hub ${at}`)));
    const won = terms.flatMap((term, at) => term === undefined ? [] : at);
    assertEquals(won.length, 1);
    const [first = 0] = won;
    const [holder, other] = [engines[first], engines[(first + 1) % 4]];
    assert(holder && other);
    // Longer than the lease lasts.
    const until = performance.now() + 1500;
    while (performance.now() < until) assertEquals(await holder.lease.renew(), true);
    assertEquals(await other.lease.take("other"), undefined);
    assert(await holder.lease.take(`hub ${first}`), "its own, as after a lost connection");
    let freed = 0;
    await other.onLeaseFreed(() => freed += 1);
    await holder.lease.release();
    await eventually("the others hear of it", () => freed > 0);
    const term = await other.lease.take("other");
    assert(term !== undefined && term > (terms[first] ?? 0), "terms grow");
    assertEquals(await holder.lease.renew(), false);
    // Nobody renews it: it runs out.
    let next: number | undefined;
    const lateAt = performance.now() + 15_000;
    while (next === undefined && performance.now() < lateAt) next = await holder.lease.take("next");
    assert(next !== undefined && next > term);
    assertEquals(await other.lease.renew(), false);
  },
});

Deno.test({
  name: "NatsEngine grants its lease to one of many also where three servers keep it",
  ignore,
  async fn() {
    await using nats = await NatsCluster.start(3);
    await using stack = new AsyncDisposableStack();
    const engines = await Promise.all(
      nats.urls.map((url, at) => open({ servers: [url] }, { hub: `${at}`, leaseMs: 10_000 })),
    );
    for (const engine of engines) stack.use(engine);
    for (let round = 0; round < 30; round++) {
      const terms = await Promise.all(engines.map(({ lease }, at) => lease.take(`hub ${at}`)));
      const holders = engines.filter((_, at) => terms[at] !== undefined);
      // Two may both be told no where they were in each other's way, but never both yes.
      assert(holders.length <= 1, `round ${round}: ${terms}`);
      for (const { lease } of holders) {
        assertEquals(await lease.renew(), true);
        await lease.release();
      }
    }
  },
});

Deno.test({
  name: "NatsEngine keeps of each channel the newest value, whoever writes it",
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
  name: "NatsEngine says what is too large, and takes what is just not",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    await using engine = await open(nats.url);
    const tooLarge = await engine.append("x".repeat(1024 * 1024), named("large", 0));
    assert(tooLarge.kind === "too_large", tooLarge.kind);
    const fits = await engine.append("x".repeat(tooLarge.maxBytes), named("fits", 0));
    assertEquals(fits.kind, "stored");
  },
});

Deno.test({
  name: "NatsEngine logs in over TLS, and says why it cannot without telling the password",
  ignore,
  async fn() {
    await using nats = await NatsServer.start({ login: LOGIN, tls: OLD });
    const address = (user: string, password: string, ca = nats.caFile) => {
      const url = new URL(nats.url.replace(/^tls:/, "http:"));
      url.username = user;
      url.password = encodeURIComponent(password);
      return { servers: [url.href.replace(/^http:/, "tls:")], ca };
    };
    await using engine = await open(address(LOGIN.user, LOGIN.password));
    assertEquals((await engine.state()).last, 0);
    const wrong = "not-the-password";
    const refused = await assertRejects(() => open(address(LOGIN.user, wrong)), EngineError);
    assert(/authorization/i.test(refused.message), refused.message);
    assert(!refused.message.includes(wrong), refused.message);
    const foreign = await Deno.makeTempFile({ suffix: ".pem" });
    try {
      await Deno.writeTextFile(foreign, RENEWED.cert);
      const untrusted = () => open(address(LOGIN.user, LOGIN.password, foreign));
      const { message } = await assertRejects(untrusted, EngineError);
      assert(/certificate/i.test(message), message);
    } finally {
      await Deno.remove(foreign);
    }
    const missing = () => open(address(LOGIN.user, LOGIN.password, "/no/such/file.pem"));
    const { message } = await assertRejects(missing, EngineError);
    assert(message.includes("/no/such/file.pem"), message);
  },
});

Deno.test({
  name: "NatsEngine says when nobody is there",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    await nats.kill();
    const { message } = await assertRejects(() => open(nats.url), EngineError);
    assert(/refused/i.test(message), message);
  },
});

Deno.test({
  name: "NatsEngine brings the limits of a stream that is there up to date, and the lease's time",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    {
      await using first = await open(nats.url);
      await first.append("a", named("a", 0));
    }
    await using engine = await open(nats.url, {
      limits: { maxEntries: 20, maxAgeMs: 600_000 },
      leaseMs: 60_000,
    });
    assertEquals(await engine.newestOfLeaders(), { seq: 1, text: "a" }, "nothing is lost by it");
    const connection = await connectNats(connectionOptions({ servers: [nats.url] }, "test"));
    try {
      const jsm = await jetstreamManager(connection);
      const limitsOf = async (name: string) => (await jsm.streams.info(name)).config;
      const { max_msgs_per_subject, max_age } = await limitsOf("holdfast_test");
      assertEquals([max_msgs_per_subject, max_age], [20, 600_000 * 1e6]);
      assertEquals((await limitsOf("KV_holdfast_test_lease")).max_age, 60_000 * 1e6);
    } finally {
      await connection.close();
    }
  },
});

Deno.test({
  name:
    "NatsEngine is lost when its server dies, is cut off or halted, and when its stream is deleted",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    await using network = new TcpProxy(nats.url);
    await using cutOff = await open(network.url);
    network.cut();
    const pending = assertRejects(() => cutOff.state(), EngineError);
    await lossOf(cutOff);
    await pending;
    network.heal();

    await using deprived = await open(nats.url);
    await readFrom(deprived, 1);
    const { id } = await deprived.state();
    const connection = await connectNats(connectionOptions({ servers: [nats.url] }, "test"));
    await (await jetstreamManager(connection)).streams.delete("holdfast_test");
    await connection.close();
    await lossOf(deprived);
    await using again = await open(nats.url);
    const anew = await again.state();
    assert(anew.id !== id, "another life of the stream");
    assertEquals(anew.last, 0);

    await again.append("a", named("a", 0));
    await again.latest.put("a", 1, "value");
    const lost = lossOf(again);
    await nats.kill();
    await lost;
    await assertRejects(() => again.append("b", named("b", 1)), EngineError);
    await nats.restart();
    await using survivor = await open(nats.url);
    const { id: kept, last } = await survivor.state();
    assertEquals([kept, last], [anew.id, 1], "what was stored is there after a crash");
    await nats.restart({ wipe: true });
    await using fresh = await open(nats.url);
    assertEquals((await fresh.state()).last, 0);
    assertEquals((await fresh.latest.all()).size, 0);
  },
});

Deno.test({
  name: "NatsEngine carries what is said to those that listen now",
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
