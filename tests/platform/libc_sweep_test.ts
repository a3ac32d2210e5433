// @ts-types="../../src/std_types/deadline.d.ts"
import { deadline } from "@std/async/deadline";
import { assert, assertEquals, assertGreaterOrEqual, assertThrows } from "../support/assert.ts";
import { Libc } from "../../src/platform/libc.ts";
import { openLibrary } from "../../src/platform/libc_library.ts";
import { addressKey } from "../../src/platform/socket_address.ts";
import { Syscalls } from "../../src/platform/syscalls.ts";
import {
  encode,
  libcForTest,
  LONG_MS,
  LOOPBACK,
  openDescriptors,
  startPython,
  until,
} from "./support.ts";
import { connected, readExactly, writeAll } from "./connected.ts";

Deno.test("Libc.peerSockets() shows our connections of one port, by their peers", async () => {
  using libc = libcForTest();
  using listener = Deno.listen(LOOPBACK);
  using other = Deno.listen(LOOPBACK);
  using a = await connected(listener);
  using b = await connected(listener);
  using _c = await connected(other);

  const sockets = libc.peerSockets(listener.addr.port);
  assertEquals([...sockets.keys()].sort(), [a.key, b.key].sort());
  assertEquals(new Set(sockets.values()).size, 2);

  a.server.close();
  assertEquals([...libc.peerSockets(listener.addr.port).keys()], [b.key]);
});

Deno.test("Libc.peerSockets() shows an IPv4 peer of an IPv6 socket as the address it has", async () => {
  using libc = libcForTest();
  using listener = Deno.listen({ hostname: "::ffff:127.0.0.1", port: 0 });
  const { port } = listener.addr;
  using pair = await connected(listener);
  const key = addressKey({ hostname: "127.0.0.1", port: pair.client.localAddr.port });

  assertEquals([...libc.peerSockets(port).keys()], [key]);
  // And that is what the peer is called by the runtime, however it spells it.
  assertEquals(addressKey(pair.server.remoteAddr), key);
});

Deno.test("Libc.peerSockets() shows IPv6 peers", async () => {
  using libc = libcForTest();
  using listener = Deno.listen({ hostname: "::1", port: 0 });
  using pair = await connected(listener);
  const peers = [...libc.peerSockets(listener.addr.port).keys()];
  assertEquals(peers, [addressKey(pair.server.remoteAddr)]);
  assertEquals(peers, [`[0:0:0:0:0:0:0:1]:${pair.client.localAddr.port}`]);
});

Deno.test("Libc.peerSockets() counts a connected UDP socket as none", () => {
  const library = openLibrary();
  assert(!("unavailable" in library));
  using syscalls = new Syscalls(library);
  const libc = new Libc(syscalls);
  const AF_INET = 2;
  const SOCK_DGRAM = 2;
  const fd = syscalls.c.socket(AF_INET, SOCK_DGRAM, 0);
  try {
    const discard = new Uint8Array([AF_INET, 0, 0, 9, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    assertEquals(syscalls.c.connect(fd, discard, discard.length), 0);
    assertEquals(syscalls.peerKey(fd), "127.0.0.1:9");
    const port = syscalls.localPort(fd) ?? 0;
    assertEquals(libc.peerSockets(port), new Map());
    assertEquals(libc.receivedByPeer(port), new Map());
    assertEquals(libc.abortSocket("127.0.0.1:9", port), false);
  } finally {
    syscalls.c.close(fd);
  }
});

Deno.test("Libc.receivedBytes() counts what came, read or not", async () => {
  using libc = libcForTest();
  using listener = Deno.listen(LOOPBACK);
  const { port } = listener.addr;
  using pair = await connected(listener);
  const fd = libc.peerSockets(port).get(pair.key) ?? -1;
  assertEquals([libc.receivedBytes(fd), libc.unreadBytes(fd)], [0, 0]);

  await writeAll(pair.client, new Uint8Array(1000));
  await writeAll(pair.client, new Uint8Array(234));
  const buffer = new Uint8Array(1000);
  await readExactly(pair.server, buffer);
  await until(() => libc.receivedBytes(fd) === 1234);
  assertEquals(libc.unreadBytes(fd), 234);
  const all = new Map([[pair.key, 1234]]);
  assertEquals(libc.receivedByPeer(port), all);
  const slices = [0, 1, 2].map((nth) => libc.receivedByPeer(port, { slice: { nth, of: 3 } }));
  assertEquals(slices.map(({ size }) => size).toSorted(), [0, 0, 1], "one of them has it");
  assertEquals(new Map(slices.flatMap((slice) => [...slice])), all);
  const known = libc.receivedByPeer(port, { knownPeer: (at) => at === fd ? "known" : undefined });
  assertEquals(known, new Map([["known", 1234]]), "who is known is not asked for");
  assertEquals(libc.receivedByPeer(port, { skip: (at) => at === fd }), new Map());
  const shown: number[] = [];
  libc.forEachConnection(port, (at) => shown.push(at));
  libc.forEachConnection(port, (at) => shown.push(at), { skip: (at) => at === fd });
  assertEquals(shown, [fd], "what is skipped is not shown");

  await readExactly(pair.server, buffer.subarray(0, 234));
  assertEquals([libc.receivedBytes(fd), libc.unreadBytes(fd)], [1234, 0]);
});

Deno.test("Libc.receivedByPeer() shows the larger figure of two connections of one peer", async () => {
  using libc = libcForTest();
  using first = Deno.listen(LOOPBACK);
  const { port } = first.addr;
  using second = Deno.listen({ hostname: "127.0.0.2", port });
  using third = Deno.listen({ hostname: "127.0.0.3", port });
  await using clients = await startPython(`
import socket, sys
bind = ("127.0.0.9", 0)
kept = []
for address, size in (("127.0.0.1", 500), ("127.0.0.2", 9), ("127.0.0.3", 0)):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(bind)
    s.connect((address, ${port}))
    bind = s.getsockname()
    s.sendall(b"x" * size)
    kept.append(s)
print(bind[1], flush=True)
sys.stdin.read()
`);
  const servers = [await first.accept(), await second.accept(), await third.accept()];
  try {
    const key = addressKey({ hostname: "127.0.0.9", port: Number(clients.line) });
    assertEquals(libc.receivedByPeer(port), new Map([[key, 500]]));
    assertEquals(libc.peerSockets(port).size, 1);
    // None of them can hide behind another.
    assertEquals(libc.abortSockets(new Set([key]), port), new Set([key]));
    assertEquals(libc.peerSockets(port), new Map());
  } finally {
    for (const server of servers) server.close();
  }
});

Deno.test("Libc.tcpInfo() tells what waits to be sent", async () => {
  using libc = libcForTest();
  using listener = Deno.listen(LOOPBACK);
  using pair = await connected(listener);
  const fd = libc.peerSockets(listener.addr.port).get(pair.key) ?? -1;
  assertEquals(libc.tcpInfo(fd), {
    receivedBytes: 0,
    ackedBytes: 0,
    notSentBytes: 0,
    unackedSegments: 0,
  });

  const writing = writeAll(pair.server, new Uint8Array(64 << 20)).catch(() => "ended");
  await until(() => (libc.tcpInfo(fd)?.notSentBytes ?? 0) > 0);
  assert(libc.abortSocket(pair.key, listener.addr.port));
  assertEquals(await deadline(writing, LONG_MS), "ended");
});

Deno.test("Libc knows nothing of a descriptor that is no connection", () => {
  using libc = libcForTest();
  for (const fd of [-1, 0, 1_000_000]) {
    assertEquals(libc.receivedBytes(fd), undefined);
    assertEquals(libc.tcpInfo(fd), undefined);
  }
  assertEquals(libc.unreadBytes(-1), undefined);
});

Deno.test("Libc closes its library once, however often it is disposed of", () => {
  const library = openLibrary();
  assert(!("unavailable" in library));
  let closed = 0;
  const counted = { symbols: library.symbols, close: () => (closed++, library.close()) };
  const libc = new Libc(new Syscalls(counted));
  libc[Symbol.dispose]();
  libc[Symbol.dispose]();
  assertEquals(closed, 1);
  assertThrows(() => libc.peerSockets(1), TypeError, "disposed of");
  assertThrows(() => libc.sendDatagram("@x", encode("x")), TypeError, "disposed of");
});

Deno.test("Libc leaves no descriptor behind by sweeping", async () => {
  using libc = libcForTest();
  using listener = Deno.listen(LOOPBACK);
  const before = await openDescriptors();
  for (let i = 0; i < 50; i++) libc.peerSockets(listener.addr.port);
  const after = await openDescriptors();
  assertGreaterOrEqual(before.length + 10, after.length); // others may come and go, not 50 of them
});

Deno.test("C07: Libc.ackedBytes() tells what the peer has taken, though it reads slowly", async () => {
  using libc = libcForTest();
  using listener = Deno.listen(LOOPBACK);
  using pair = await connected(listener);
  const { port } = listener.addr;
  const fd = libc.peerSockets(port).get(pair.key) ?? -1;
  assertEquals(
    [libc.isConnection(fd, pair.key, port), libc.isConnection(fd, pair.key, port + 1)],
    [true, false],
  );
  assertEquals(libc.isConnection(0, pair.key, port), false);
  assertEquals(libc.ackedBytes(fd), 0);
  const writing = writeAll(pair.server, new Uint8Array(32 << 20)).catch(() => {});
  const buffer = new Uint8Array(1 << 20);
  let last = 0;
  for (let time = 0; time < 3; time++) {
    await until(() => (libc.ackedBytes(fd) ?? 0) > last);
    last = libc.ackedBytes(fd) ?? 0;
    for (let taken = 0; taken < 2 << 20;) taken += await pair.client.read(buffer) ?? 0;
  }
  assert(libc.abortSocket(pair.key, port));
  await deadline(writing, LONG_MS);
});
