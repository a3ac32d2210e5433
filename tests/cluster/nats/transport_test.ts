import { assertEquals, assertRejects, assertStringIncludes } from "../../support/assert.ts";
import { OLD, RENEWED } from "../../support/certificates.ts";
import { eventually } from "../../support/eventually.ts";
import { hasNatsServer, NatsServer } from "../../support/nats.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { within } from "../../support/until.ts";
import { connectNats } from "../../../src/cluster/nats/transport.ts";

const ignore = !hasNatsServer();

const OPTIONS = { reconnect: false, timeout: 5_000, pingInterval: 200, maxPingOut: 2 };

function addressOf(url: string): string {
  return new URL(url).host;
}

Deno.test({
  name: "connectNats() carries what is published, and more than fits into one piece",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    const connection = await connectNats({ ...OPTIONS, servers: addressOf(nats.url) });
    const received: Uint8Array[] = [];
    connection.subscribe("numbers", {
      callback: (_error, { data }) => {
        received.push(data);
      },
    });
    const sent = Array.from({ length: 20 }, (_, at) => new Uint8Array(500_000).fill(at));
    for (const data of sent) connection.publish("numbers", data);
    await connection.flush();
    assertEquals(received, sent);
    await connection.close();
    assertEquals(await connection.closed(), undefined);
  },
});

Deno.test({
  name: "connectNats() fails when it may not log in, time after time, and nothing escapes",
  ignore,
  async fn() {
    await using nats = await NatsServer.start({ login: { user: "hub", password: "secret" } });
    const servers = addressOf(nats.url);
    for (let round = 0; round < 50; round++) {
      const refused = connectNats({ ...OPTIONS, servers, user: "hub", pass: "wrong" });
      await assertRejects(() => refused, Error, "Authorization Violation");
    }
    const connection = await connectNats({ ...OPTIONS, servers, user: "hub", pass: "secret" });
    await connection.close();
  },
});

Deno.test({
  name: "connectNats() speaks TLS with whom it trusts alone",
  ignore,
  async fn() {
    await using nats = await NatsServer.start({ tls: OLD });
    const servers = `localhost:${nats.port}`;
    const connection = await connectNats({ ...OPTIONS, servers, tls: { caFile: nats.caFile } });
    await connection.flush();
    await connection.close();
    await assertRejects(
      () => connectNats({ ...OPTIONS, servers, tls: { ca: RENEWED.cert } }),
      Deno.errors.InvalidData,
    );
  },
});

Deno.test({
  name: "connectNats() refuses what does not greet as a NATS server does",
  async fn() {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serving = (async () => {
      for await (const client of listener) {
        await client.write(new TextEncoder().encode("SSH-2.0-OpenSSH\r\n"));
        client.close();
      }
    })();
    const error = await assertRejects(
      () => connectNats({ ...OPTIONS, servers: `127.0.0.1:${listener.addr.port}` }),
      Error,
    );
    assertStringIncludes(error.message, "does not greet as a NATS server");
    listener.close();
    await serving;
  },
});

Deno.test({
  name: "connectNats() gives up a silent server and leaves no connection behind",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    await using network = new TcpProxy(nats.url);
    network.cut();
    const { port } = new URL(network.url);
    await assertRejects(
      () => connectNats({ ...OPTIONS, timeout: 100, servers: addressOf(network.url) }),
      Error,
      "timeout",
    );
    await eventually("the connection is gone", () => !isConnectedTo(Number(port)));
  },
});

Deno.test({
  name: "connectNats() finds a server gone that takes nothing any more, whatever waits for it",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    await using network = new TcpProxy(nats.url);
    const connection = await connectNats({ ...OPTIONS, servers: addressOf(network.url) });
    network.cut();
    for (let count = 0; count < 30; count++) connection.publish("x", new Uint8Array(1_000_000));
    await within(connection.closed(), { explain: () => "it holds on to a dead server" });
    assertEquals(connection.isClosed(), true);
  },
});

Deno.test({
  name: "connectNats() ends a connection for which too much waits",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    await using network = new TcpProxy(nats.url);
    const patient = { ...OPTIONS, pingInterval: 60_000, servers: addressOf(network.url) };
    const connection = await connectNats(patient);
    network.cut();
    for (let count = 0; count < 80; count++) connection.publish("x", new Uint8Array(1_000_000));
    const reason = await within(Promise.resolve(connection.closed()), {
      explain: () => "80 MB wait for a dead server",
    });
    assertStringIncludes(String(reason), "takes nothing");
  },
});

Deno.test({
  name: "connectNats() tells the end of a killed server at once",
  ignore,
  async fn() {
    await using nats = await NatsServer.start();
    const connection = await connectNats({
      ...OPTIONS,
      pingInterval: 60_000,
      servers: addressOf(nats.url),
    });
    await nats.kill();
    await within(connection.closed(), { explain: () => "it did not notice" });
    await assertRejects(() => connection.flush(), Error, "closed");
  },
});

/** Whether this process has a connection to a port of this machine. */
function isConnectedTo(port: number): boolean {
  const rows = Deno.readTextFileSync("/proc/net/tcp").trimEnd().split("\n").slice(1);
  return rows.some((row) => {
    const [, , peer = "", state] = row.trim().split(/\s+/);
    return parseInt(peer.split(":")[1] ?? "", 16) === port && state === "01";
  });
}
