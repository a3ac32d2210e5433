import { assertEquals, assertGreaterOrEqual, assertRejects } from "./assert.ts";
import { eventually } from "./eventually.ts";
import { TcpPeer } from "./tcp_peer.ts";
import { TcpProxy } from "./tcp_proxy.ts";

/** A server that sends back what it gets, and ends when its client does. */
class Echo implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #serving = this.#serve();
  ended = 0;

  get url(): string {
    return `echo://127.0.0.1:${this.#listener.addr.port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#serving;
  }

  async #serve(): Promise<void> {
    const echoing: Promise<unknown>[] = [];
    for await (const connection of this.#listener) {
      const echo = connection.readable.pipeTo(connection.writable);
      echoing.push(echo.catch(() => {}).finally(() => this.ended++));
    }
    await Promise.all(echoing);
  }
}

async function expectEcho(peer: TcpPeer, text: string): Promise<void> {
  const before = peer.answer;
  await peer.send(text);
  await peer.waitFor(() => peer.answer === before + text, `echo of ${text}`);
}

Deno.test("TcpProxy relays both ways, and the end too", async () => {
  await using echo = new Echo();
  await using proxy = new TcpProxy(echo.url);
  assertEquals(new URL(proxy.url).protocol, "echo:");
  using peer = await TcpPeer.connect(proxy.url);
  await expectEcho(peer, "hello");
  await expectEcho(peer, "x".repeat(1_000_000));
  assertEquals(proxy.isUsed, true);
  await peer.finish();
  assertEquals(await peer.waitForEnd(), "end");
  await eventually("the proxy forgot the connection", () => !proxy.isUsed);
});

Deno.test("TcpProxy.cut() swallows all until it is healed, and loses nothing", async () => {
  await using echo = new Echo();
  await using proxy = new TcpProxy(echo.url);
  using peer = await TcpPeer.connect(proxy.url);
  await expectEcho(peer, "before,");
  proxy.cut();
  await peer.send("meanwhile,");
  using late = await TcpPeer.connect(proxy.url);
  await late.send("late");
  using gone = await TcpPeer.connect(proxy.url);
  gone[Symbol.dispose]();
  // What goes round another way meanwhile shows that there was time enough.
  using direct = await TcpPeer.connect(echo.url);
  for (let round = 0; round < 100; round++) await expectEcho(direct, `${round},`);
  assertEquals([peer.answer, peer.end, late.answer, late.end], [
    "before,",
    undefined,
    "",
    undefined,
  ]);
  proxy.heal();
  await peer.waitFor(() => peer.answer === "before,meanwhile,", "what was sent meanwhile");
  await late.waitFor(() => late.answer === "late", "the late connection's");
  await expectEcho(peer, "after");
});

Deno.test("TcpProxy.reset() ends all and refuses until it is healed", async () => {
  await using echo = new Echo();
  await using proxy = new TcpProxy(echo.url);
  using peer = await TcpPeer.connect(proxy.url);
  await expectEcho(peer, "hello");
  proxy.cut();
  await proxy.reset();
  await peer.waitForEnd();
  await eventually("the server lost its client", () => echo.ended === 1);
  await assertRejects(() => TcpPeer.connect(proxy.url), Deno.errors.ConnectionRefused);
  proxy.heal();
  using again = await TcpPeer.connect(proxy.url);
  await expectEcho(again, "again");
});

Deno.test("TcpProxy delays every byte, each way, and keeps their order", async () => {
  await using echo = new Echo();
  await using proxy = new TcpProxy(echo.url, { latencyMs: 30 });
  using peer = await TcpPeer.connect(proxy.url);
  const begunAt = performance.now();
  const sent = Array.from({ length: 100 }, (_, at) => `${at},`);
  for (const text of sent) await peer.send(text);
  await peer.waitFor(() => peer.answer === sent.join(""), "all of it in order");
  assertGreaterOrEqual(performance.now() - begunAt, 60);
});

Deno.test("TcpProxy can be disposed of in whatever state", async () => {
  await using echo = new Echo();
  await using proxy = new TcpProxy(echo.url, { latencyMs: 60_000 });
  using peer = await TcpPeer.connect(proxy.url);
  await peer.send("under way for a minute");
  await eventually("the proxy relays", () => proxy.isUsed);
  proxy.cut();
  using late = await TcpPeer.connect(proxy.url);
  await late.send("not even connected");
});

Deno.test("TcpProxy cuts one of the two ways, and lets the other through", async () => {
  const heard: string[] = [];
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using network = new TcpProxy(`tcp://127.0.0.1:${listener.addr.port}`);
  const { port } = new URL(network.url);
  const client = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  const server = await listener.accept();
  const bytes = (text: string) => new TextEncoder().encode(text);
  const readInto = async (connection: Deno.Conn) => {
    const buffer = new Uint8Array(10);
    const count = await connection.read(buffer);
    heard.push(new TextDecoder().decode(buffer.subarray(0, count ?? 0)));
  };
  network.cut("from the server");
  const toClient = readInto(client);
  await server.write(bytes("down"));
  await client.write(bytes("up"));
  await readInto(server);
  assertEquals(heard, ["up"]);
  network.heal();
  await toClient;
  assertEquals(heard, ["up", "down"]);
  client.close();
  server.close();
  listener.close();
});
