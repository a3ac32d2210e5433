import { systemClock } from "../../../src/resilience/clock.ts";
import { Listeners } from "../../../src/server/sockets/listeners.ts";
import { SocketGuard } from "../../../src/server/sockets/socket_guard.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../../support/assert.ts";
import { OLD, RENEWED } from "../../support/certificates.ts";

Deno.test("C09: Listeners.renew() whose new socket cannot be had leaves the old one listening, alone", async () => {
  const folder = await Deno.makeTempDir({ prefix: "holdfast-test-" });
  const tls = { cert: `${folder}/cert.pem`, key: `${folder}/key.pem` };
  const write = async ({ cert, key }: typeof OLD) => {
    await Deno.writeTextFile(tls.cert, cert);
    await Deno.writeTextFile(tls.key, key);
  };
  await write(OLD);
  using guard = new SocketGuard({ stallTimeoutMs: 1000 });
  assert(guard.isAvailable);
  let fails = true;
  const listeners = new Listeners({
    clock: systemClock,
    isListening: () => guard.isListening(),
    onLost: () => {},
    mayReopen: () => true,
    handler: () => new Response("ok"),
    onListening: (address) => guard.tune(address),
    handOver: (open, isShared) =>
      guard.handOver(() => {
        if (fails) throw new Deno.errors.AddrInUse("taken on the way");
        open();
      }, isShared),
  });
  try {
    const listen = { hostname: "127.0.0.1", port: 0 };
    await listeners.listen({ listen, tls });
    const { url } = listeners;
    const port = Number(new URL(url).port);
    const shows = async ({ cert }: typeof OLD): Promise<boolean> => {
      try {
        using connection = await Deno.connectTls({ hostname: "localhost", port, caCerts: [cert] });
        await connection.handshake();
        return true;
      } catch {
        return false;
      }
    };
    const isAlone = () =>
      assertThrows(() => Deno.listen({ ...listen, port }), Deno.errors.AddrInUse);
    await write(RENEWED);
    await assertRejects(() => listeners.renew({ tls }), Deno.errors.AddrInUse);
    assertEquals([await shows(OLD), await shows(RENEWED)], [true, false]);
    isAlone();
    fails = false;
    await listeners.renew({ tls });
    assertEquals([await shows(OLD), await shows(RENEWED), listeners.url], [false, true, url]);
    isAlone();
  } finally {
    await listeners.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("Listeners reads no certificate out of a pipe, which would never end", async () => {
  const folder = await Deno.makeTempDir({ prefix: "holdfast-test-" });
  try {
    const pipe = `${folder}/cert.pem`;
    await new Deno.Command("mkfifo", { args: [pipe] }).output();
    const listeners = new Listeners({
      clock: systemClock,
      handler: () => new Response("ok"),
      onListening: () => {},
      isListening: () => undefined,
      onLost: () => {},
      mayReopen: () => true,
      handOver: () => false,
    });
    const listen = { hostname: "127.0.0.1", port: 0 };
    await assertRejects(
      () => listeners.listen({ listen, tls: { cert: pipe, key: pipe } }),
      TypeError,
      "cannot be read",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
