import { assert, assertEquals, assertRejects, assertStringIncludes } from "./assert.ts";
import { OLD, RENEWED } from "./certificates.ts";
import { hasNatsServer, NatsServer } from "./nats.ts";
import { NatsCluster } from "./nats_cluster.ts";
import { TcpPeer } from "./tcp_peer.ts";

const ignore = !hasNatsServer();

/** The streams that a server has. */
async function countStreams(nats: NatsServer): Promise<number> {
  const { streams } = await nats.ask("/jsz") as { streams: number };
  return streams;
}

/** Says hello to a server and makes a stream, in the protocol's own words; gives what it answered. */
async function makeStream(
  nats: NatsServer,
  name: string,
  options: { replicas?: number; hello?: object } = {},
): Promise<string> {
  const { replicas = 1, hello = {} } = options;
  const wanted = JSON.stringify({ name, subjects: [name], num_replicas: replicas });
  using peer = await TcpPeer.connect(nats.url);
  await peer.send(
    `CONNECT ${JSON.stringify({ verbose: false, ...hello })}\r\nSUB made 1\r\n` +
      `PUB $JS.API.STREAM.CREATE.${name} made ${wanted.length}\r\n${wanted}\r\n`,
  );
  const ended = peer.waitForEnd().catch(() => {});
  await Promise.race([ended, peer.waitFor(() => /MSG made|-ERR/.test(peer.answer), "answer")]);
  return peer.answer;
}

Deno.test({
  name: "NatsServer keeps its port and its store when it is killed, and loses the store when wiped",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    const { url } = nats;
    await makeStream(nats, "kept");
    assertEquals(await countStreams(nats), 1);

    await nats.kill();
    await assertRejects(() => TcpPeer.connect(url), Deno.errors.ConnectionRefused);
    await nats.restart();
    assertEquals([nats.url, await countStreams(nats)], [url, 1]);

    await nats.restart({ wipe: true });
    assertEquals([nats.url, await countStreams(nats)], [url, 0]);
  },
});

Deno.test({
  name: "NatsServer says nothing while it is halted",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    nats.stop();
    await assertRejects(() => nats.ask("/varz"), DOMException);
    using peer = await TcpPeer.connect(nats.url);
    assertEquals(peer.answer, "");
    nats.cont();
    await peer.waitFor(() => peer.answer.startsWith("INFO "), "greeting");
  },
});

Deno.test({
  name: "NatsServer refuses who does not log in",
  ignore,
  async fn() {
    const login = { user: "hub", password: "secret" };
    await using nats = await NatsServer.start({ login });
    assertStringIncludes(await makeStream(nats, "refused"), "Authorization Violation");
    const hello = { user: login.user, pass: login.password };
    assertStringIncludes(await makeStream(nats, "made", { hello }), "stream_create_response");
    assertEquals(await countStreams(nats), 1);
  },
});

Deno.test({
  name: "NatsServer speaks TLS with its certificate",
  ignore,
  async fn() {
    await using nats = await NatsServer.start({ tls: OLD });
    assertEquals(Deno.readTextFileSync(nats.caFile), OLD.cert);
    const shakeHands = async (trusted: string) => {
      const plain = await Deno.connect({ hostname: "127.0.0.1", port: nats.port });
      const greeting = new Uint8Array(4096);
      await plain.read(greeting);
      assertStringIncludes(new TextDecoder().decode(greeting), `"tls_required":true`);
      using tls = await Deno.startTls(plain, { hostname: "localhost", caCerts: [trusted] });
      await tls.handshake();
    };
    await shakeHands(OLD.cert);
    await assertRejects(() => shakeHands(RENEWED.cert), Deno.errors.InvalidData);
  },
});

Deno.test({
  name: "NatsServer tells why it does not start",
  ignore,
  async fn() {
    await assertRejects(
      () => NatsServer.start({ tls: { cert: "no certificate", key: "no key" } }),
      Error,
      "cert",
    );
  },
});

Deno.test({
  name: "NatsCluster elects another leader of a stream when that one is killed, and takes it back",
  ignore,
  async fn() {
    await using nats = await NatsCluster.start(3);
    assertEquals(new Set(nats.urls).size, 3);
    assert(nats.servers.includes(await nats.leaderOf()));
    await makeStream(await nats.leaderOf(), "shared", { replicas: 3 });

    const first = await nats.leaderOf("shared");
    await first.kill();
    const second = await nats.leaderOf("shared");
    assert(second !== first, "a killed server cannot lead");
    await first.restart();
    assertEquals(await countStreams(first), 1);
  },
});
