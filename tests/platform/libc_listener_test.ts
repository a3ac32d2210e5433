import { assert, assertEquals, assertThrows } from "../support/assert.ts";
import { LEAST_LABEL } from "../../src/platform/libc.ts";
import { libcForTest, LOOPBACK, until } from "./support.ts";
import { connected } from "./connected.ts";

Deno.test("Libc.listeningSocket() finds the listener of each address and nothing else", async () => {
  using libc = libcForTest();
  using ipv4 = Deno.listen(LOOPBACK);
  using ipv6 = Deno.listen({ hostname: "::1", port: 0 });
  using any4 = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  using any6 = Deno.listen({ hostname: "::", port: 0 });
  using mapped = Deno.listen({ hostname: "::ffff:127.0.0.1", port: 0 });
  using pair = await connected(ipv4);

  const listeners = [ipv4, ipv6, any4, any6, mapped].map(({ addr }) => libc.listeningSocket(addr));
  for (const fd of listeners) assert(fd !== undefined && fd > 2);
  assertEquals(new Set(listeners).size, 5);

  // The connection's own ends are bound to an address too, but do not listen.
  assertEquals(libc.listeningSocket(pair.client.localAddr), undefined);
  const { port } = ipv4.addr;
  assertEquals(libc.listeningSocket({ hostname: "127.0.0.2", port }), undefined);
  assertEquals(libc.listeningSocket({ hostname: "localhost", port }), undefined);
});

Deno.test("Libc.listeningSocket() no longer finds a closed listener", () => {
  using libc = libcForTest();
  const listener = Deno.listen(LOOPBACK);
  const { addr } = listener;
  assert(libc.listeningSocket(addr) !== undefined);
  listener.close();
  assertEquals(libc.listeningSocket(addr), undefined);
});

Deno.test("Libc.listeningSocket() finds a descriptor that lies far beyond the others", () => {
  using libc = libcForTest();
  const listeners = Array.from({ length: 400 }, () => Deno.listen(LOOPBACK));
  using last = Deno.listen(LOOPBACK);
  for (const listener of listeners) listener.close();
  const fd = libc.listeningSocket(last.addr);
  assert(fd !== undefined && fd > 400);
});

Deno.test("Libc.tuneListener() sets what accepted connections inherit", async () => {
  using libc = libcForTest();
  using listener = Deno.listen(LOOPBACK);
  const { port } = listener.addr;
  const fd = libc.listeningSocket(listener.addr);
  assert(fd !== undefined);

  using before = await connected(listener);
  assertEquals(
    libc.tuneListener(fd, {
      userTimeoutMs: 12_345,
      sendBufferBytes: 40_000,
      receiveBufferBytes: 20_000,
    }),
    { ok: true },
  );
  using after = await connected(listener);

  const sockets = libc.peerSockets(port);
  const tuned = libc.tuning(sockets.get(after.key) ?? -1);
  assertEquals(tuned, {
    userTimeoutMs: 12_345,
    sendBufferBytes: 80_000,
    receiveBufferBytes: 40_000,
  });
  assertEquals(libc.tuning(sockets.get(before.key) ?? -1).userTimeoutMs, 0);
});

Deno.test("Libc.tuneListener() leaves alone what it was not given", () => {
  using libc = libcForTest();
  using listener = Deno.listen(LOOPBACK);
  const fd = libc.listeningSocket(listener.addr) ?? -1;
  const before = libc.tuning(fd);
  assertEquals(libc.tuneListener(fd, { userTimeoutMs: 500 }), { ok: true });
  assertEquals(libc.tuning(fd), { ...before, userTimeoutMs: 500 });
});

Deno.test("Libc.tuneListener() names the call and the error where it fails", () => {
  using libc = libcForTest();
  assertEquals(libc.tuneListener(-1, { userTimeoutMs: 1 }), {
    ok: false,
    why: "setsockopt TCP_USER_TIMEOUT: EBADF",
  });
  assertEquals(libc.tuneListener(-1, { sendBufferBytes: 1 }), {
    ok: false,
    why: "setsockopt SO_SNDBUF: EBADF",
  });
  assertEquals(libc.tuning(-1), {});
});

Deno.test("Libc.tuneListener() throws on a number that is no option's", () => {
  using libc = libcForTest();
  for (const userTimeoutMs of [0, -1, 1.5, NaN, 2 ** 31]) {
    assertThrows(
      () => libc.tuneListener(-1, { userTimeoutMs }),
      RangeError,
      `'userTimeoutMs' must be an integer from 1 to 2147483647: current value is ${userTimeoutMs}`,
    );
  }
  assertThrows(
    () => libc.tuneListener(-1, { sendBufferBytes: 0 }),
    RangeError,
    "'sendBufferBytes'",
  );
});

Deno.test("Libc.label() tells the connections of two sockets on one port apart", async () => {
  using libc = libcForTest();
  const labels = [LEAST_LABEL + 1, LEAST_LABEL + 2];
  const listeners: Deno.TcpListener[] = [];
  const counts = new Map<number | undefined, number>();
  let port = 0;
  for (const label of labels) {
    const options = { hostname: "127.0.0.1", port, reusePort: true };
    const listener = Deno.listen(options);
    listeners.push(listener);
    ({ port } = listener.addr);
    for (const fd of libc.listeningSockets(listener.addr)) {
      if (libc.label(fd) !== undefined) continue;
      assertEquals(libc.tuneListener(fd, { label }), { ok: true });
    }
  }
  const open: Deno.Conn[] = [];
  try {
    const accepting = listeners.map(async (listener) => {
      for await (const connection of listener) open.push(connection);
    });
    for (let time = 0; time < 40; time++) {
      open.push(await Deno.connect({ hostname: "127.0.0.1", port }));
    }
    await until(() => open.length === 80);
    libc.forEachConnection(port, (fd) => {
      const label = libc.label(fd);
      counts.set(label, (counts.get(label) ?? 0) + 1);
    });
    for (const listener of listeners) listener.close();
    await Promise.all(accepting);
  } finally {
    for (const connection of open) connection.close();
  }
  assertEquals([...counts.keys()].toSorted(), labels, "each has some, and none is without");
  assertEquals([...counts.values()].reduce((sum, each) => sum + each), 40);
});
