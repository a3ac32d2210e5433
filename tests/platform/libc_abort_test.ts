// @ts-types="../../src/std_types/deadline.d.ts"
import { deadline } from "@std/async/deadline";
import { assert, assertEquals } from "../support/assert.ts";
import { Libc } from "../../src/platform/libc.ts";
import { openLibrary } from "../../src/platform/libc_library.ts";
import { addressKey } from "../../src/platform/socket_address.ts";
import { Syscalls } from "../../src/platform/syscalls.ts";
import { RawClient } from "./raw_client.ts";
import { libcForTest, LONG_MS, LOOPBACK, openDescriptors, until, untilAsync } from "./support.ts";

/** Most to push at a client that does not read before giving up on filling the kernel's buffers. */
const MOST_PUSHED_CHUNKS = 256;

const CHUNK = "x".repeat(1 << 20);

/** A server whose WebSockets push until the kernel takes no more, and tell how they ended. */
function pushingServer() {
  const stuck = new Map<string, WebSocket>();
  const closes = new Map<string, PromiseWithResolvers<CloseEvent>>();
  const server = Deno.serve({ ...LOOPBACK, onListen() {} }, (request, info) => {
    const key = addressKey(info.remoteAddr);
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    const closed = Promise.withResolvers<CloseEvent>();
    closes.set(key, closed);
    socket.onopen = async () => {
      let chunks = 0;
      // What lies in `bufferedAmount` is what the kernel would not take any more.
      while (socket.readyState === WebSocket.OPEN && socket.bufferedAmount < 4 * CHUNK.length) {
        assert(++chunks < MOST_PUSHED_CHUNKS, "the kernel took it all");
        socket.send(CHUNK);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      stuck.set(key, socket);
    };
    socket.onerror = (event) => event.preventDefault();
    // After a `close()` that could not complete it fires twice; the last time counts.
    socket.onclose = (event) => {
      if (event.code !== 1005) closed.resolve(event);
    };
    return response;
  });
  return {
    server,
    addr: server.addr,
    /** The WebSocket of this peer, once it is stuck. */
    async stuckSocket(key: string): Promise<WebSocket> {
      await until(() => stuck.has(key));
      const socket = stuck.get(key);
      assert(socket !== undefined);
      return socket;
    },
    /** The close event of this peer's WebSocket. */
    async closed(key: string): Promise<CloseEvent> {
      await until(() => closes.has(key));
      const closed = closes.get(key);
      assert(closed !== undefined);
      return await deadline(closed.promise, LONG_MS);
    },
    hasClosed: async (key: string): Promise<boolean> => {
      const open = Symbol();
      return await Promise.race([closes.get(key)?.promise, Promise.resolve(open)]) !== open;
    },
  };
}

Deno.test("Libc.abortSocket() ends a WebSocket whose client never reads", async () => {
  using libc = libcForTest();
  const { server, addr, stuckSocket, closed } = pushingServer();
  using client = await RawClient.connect(addr);
  const key = addressKey(client.address);
  await client.upgrade();
  const socket = await stuckSocket(key);
  const fd = libc.peerSockets(addr.port).get(key) ?? -1;
  const inode = await Deno.readLink(`/proc/self/fd/${fd}`);

  assertEquals(libc.abortSocket("192.0.2.1:1", addr.port), false);
  assertEquals(socket.readyState, WebSocket.OPEN);
  assertEquals(libc.abortSocket(key, addr.port), true);

  // TCP is gone when the call returns; the rest follows.
  assertEquals(libc.peerSockets(addr.port), new Map());
  assertEquals(libc.abortSocket(key, addr.port), false);
  const { code, wasClean } = await closed(key);
  assertEquals({ code, wasClean }, { code: 0, wasClean: false });
  assertEquals(await deadline(client.readToEnd(), LONG_MS), "reset");
  await untilAsync(async () => !(await openDescriptors()).includes(inode));
  await deadline(server.shutdown(), LONG_MS);
});

Deno.test("Libc.abortSocket() ends a WebSocket whose close() cannot complete", async () => {
  using libc = libcForTest();
  const { server, addr, stuckSocket, closed } = pushingServer();
  using client = await RawClient.connect(addr);
  const key = addressKey(client.address);
  await client.upgrade();
  const socket = await stuckSocket(key);
  socket.close(1013, "slow client");

  assertEquals(libc.abortSocket(key, addr.port), true);
  await closed(key);
  assertEquals(socket.readyState, WebSocket.CLOSED);
  await deadline(server.shutdown(), LONG_MS);
});

Deno.test("Libc.abortSockets() ends the named peers in one sweep and no others", async () => {
  using libc = libcForTest();
  const { server, addr, stuckSocket, closed, hasClosed } = pushingServer();
  using a = await RawClient.connect(addr);
  using b = await RawClient.connect(addr);
  using spared = await RawClient.connect(addr);
  const keys = [a, b, spared].map(({ address }) => addressKey(address));
  const [aKey = "", bKey = "", sparedKey = ""] = keys;
  for (const client of [a, b, spared]) await client.upgrade();
  for (const key of keys) await stuckSocket(key);

  assertEquals(libc.abortSockets(new Set(), addr.port), new Set());
  assertEquals(
    libc.abortSockets(new Set([aKey, bKey, "192.0.2.1:1"]), addr.port),
    new Set([aKey, bKey]),
  );
  await closed(aKey);
  await closed(bKey);
  assertEquals([...libc.peerSockets(addr.port).keys()], [sparedKey]);
  assertEquals(await hasClosed(sparedKey), false);

  libc.abortSocket(sparedKey, addr.port);
  await closed(sparedKey);
  await deadline(server.shutdown(), LONG_MS);
});

Deno.test("Libc.abortSocket() resets the client also where a connection cannot be dissolved", async () => {
  class Sandboxed extends Syscalls {
    override disconnect(): boolean {
      return false;
    }
  }
  const library = openLibrary();
  assert(!("unavailable" in library));
  using libc = new Libc(new Sandboxed(library));
  const { server, addr, stuckSocket, closed } = pushingServer();
  using client = await RawClient.connect(addr);
  const key = addressKey(client.address);
  await client.upgrade();
  await stuckSocket(key);

  assertEquals(libc.abortSocket(key, addr.port), true);
  await closed(key);
  // Nothing of what the kernel still held is delivered first: that would end without a reset.
  assertEquals(await deadline(client.readToEnd(), LONG_MS), "reset");
  await deadline(server.shutdown(), LONG_MS);
});

Deno.test("Libc.abortSocket() cancels a streamed answer that is not read", async () => {
  using libc = libcForTest();
  const cancelled = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const server = Deno.serve({ ...LOOPBACK, onListen() {} }, () => {
    asked.resolve();
    const bytes = new Uint8Array(CHUNK.length);
    return new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(bytes),
        cancel: () => cancelled.resolve(),
      }),
    );
  });
  const { port } = server.addr;
  using client = await RawClient.connect(server.addr);
  await client.request("/events");
  await deadline(asked.promise, LONG_MS);
  assert(libc.abortSocket(addressKey(client.address), port));
  await deadline(cancelled.promise, LONG_MS);
  await deadline(server.shutdown(), LONG_MS);
});

Deno.test("Libc.tuneListener() makes the kernel end a WebSocket whose client never reads", async () => {
  using libc = libcForTest();
  const { server, addr, closed } = pushingServer();
  const fd = libc.listeningSocket(addr) ?? -1;
  assertEquals(libc.tuneListener(fd, { userTimeoutMs: 200, sendBufferBytes: 65_536 }), {
    ok: true,
  });
  using client = await RawClient.connect(addr);
  const key = addressKey(client.address);
  await client.upgrade();
  assertEquals((await closed(key)).code, 0);
  assertEquals(libc.peerSockets(addr.port), new Map());
  await deadline(server.shutdown(), LONG_MS);
});
