/** The broker against a nats-server that refuses, dies or forgets. */
import { jetstreamManager } from "@nats-io/jetstream";
import { BrokerError } from "../../../src/cluster/broker.ts";
import { connectionOptions } from "../../../src/cluster/nats/address.ts";
import { connectNats } from "../../../src/cluster/nats/transport.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { OLD, RENEWED } from "../../support/certificates.ts";
import { hasNatsServer, NatsServer } from "../../support/nats.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { lossOf, open, readFrom } from "./support.ts";

const ignore = !hasNatsServer();

const LOGIN = { user: "hub", password: "s3cret/of:hubs" };

Deno.test({
  name: "NatsBroker logs in over TLS, and says why it cannot without telling the password",
  ignore,
  async fn() {
    await using nats = await NatsServer.start({ login: LOGIN, tls: OLD });
    const address = (user: string, password: string, ca = nats.caFile) => {
      const url = new URL(nats.url.replace(/^tls:/, "http:"));
      url.username = user;
      url.password = encodeURIComponent(password);
      return { servers: [url.href.replace(/^http:/, "tls:")], ca };
    };
    await using broker = await open(address(LOGIN.user, LOGIN.password));
    assertEquals((await broker.state()).last, 0);
    const wrong = "not-the-password";
    const refused = await assertRejects(() => open(address(LOGIN.user, wrong)), BrokerError);
    assert(/authorization/i.test(refused.message), refused.message);
    assert(!refused.message.includes(wrong), refused.message);
    const foreign = await Deno.makeTempFile({ suffix: ".pem" });
    try {
      await Deno.writeTextFile(foreign, RENEWED.cert);
      const untrusted = () => open(address(LOGIN.user, LOGIN.password, foreign));
      const { message } = await assertRejects(untrusted, BrokerError);
      assert(/certificate/i.test(message), message);
    } finally {
      await Deno.remove(foreign);
    }
    const missing = () => open(address(LOGIN.user, LOGIN.password, "/no/such/file.pem"));
    const { message } = await assertRejects(missing, BrokerError);
    assert(message.includes("/no/such/file.pem"), message);
  },
});

Deno.test({
  name: "NatsBroker says when nobody is there",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    await nats.kill();
    const { message } = await assertRejects(() => open(nats.url), BrokerError);
    assert(/refused/i.test(message), message);
  },
});

Deno.test({
  name:
    "NatsBroker is lost when its server dies, is cut off or halted, and when its stream is deleted",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    await using network = new TcpProxy(nats.url);
    await using cutOff = await open(network.url);
    network.cut();
    const pending = assertRejects(() => cutOff.state(), BrokerError);
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
    await assertRejects(() => again.append("b", named("b", 1)), BrokerError);
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

function named(text: string, fence?: number) {
  return { as: "leader", id: text, ...(fence === undefined ? {} : { fence }) } as const;
}
