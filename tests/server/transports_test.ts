import { SseTransport } from "../../src/server/http/sse_transport.ts";
import { WebSocketTransport } from "../../src/server/sockets/web_socket_transport.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";
import { settle } from "../support/fake_clock.ts";

/** A socket that notes what is done to it. */
class FakeSocket extends EventTarget {
  readonly done: unknown[] = [];
  bufferedAmount = 17;
  isBroken = false;

  send(text: string): void {
    if (this.isBroken) throw new DOMException("not open", "InvalidStateError");
    this.done.push(text);
  }

  close(code: number, reason: string): void {
    if (this.isBroken) throw new DOMException("not open", "InvalidStateError");
    this.done.push([code, reason]);
  }
}

function transportOf(socket: FakeSocket, options: { lingerMs: number; abort: () => void }) {
  return new WebSocketTransport(socket as unknown as WebSocket, {
    takenBytes: () => undefined,
    ...options,
  });
}

Deno.test("WebSocketTransport passes on what it is given, and what is buffered", () => {
  const socket = new FakeSocket();
  const transport = transportOf(socket, { lingerMs: 1, abort: () => {} });
  transport.send("frame");
  assertEquals([transport.bufferedBytes, socket.done], [17, ["frame"]]);
  socket.isBroken = true;
  assertThrows(() => transport.send("frame"), DOMException);
});

Deno.test("WebSocketTransport.close() ends a connection that stays, also if closing throws", async () => {
  for (const isBroken of [false, true]) {
    const socket = new FakeSocket();
    socket.isBroken = isBroken;
    const { promise, resolve } = Promise.withResolvers<void>();
    let aborts = 0;
    const abort = () => {
      aborts += 1;
      resolve();
    };
    const transport = transportOf(socket, { lingerMs: 1, abort });
    transport.close(1013, "slow client");
    transport.close(1001, "again");
    if (!isBroken) assertEquals(socket.done[0], [1013, "slow client"]);
    await promise;
    assertEquals(aborts, 1);
  }
});

Deno.test("WebSocketTransport waits for nothing once its connection is gone", () => {
  const socket = new FakeSocket();
  const abort = () => {
    throw new Error("there is nothing to abort");
  };
  const transport = transportOf(socket, { lingerMs: 60_000, abort });
  transport.close(1001, "x");
  transport[Symbol.dispose](); // a timer left would be told of by the test runner
  transport.close(1001, "late");
  assertEquals(socket.done.length, 1);
});

function stream(changes: { lingerMs?: number; keepAliveMs?: number } = {}) {
  const ended = Promise.withResolvers<void>();
  let ends = 0;
  let aborts = 0;
  const transport = new SseTransport({
    keepAliveMs: 0,
    takenBytes: () => undefined,
    retryMs: 1234,
    epoch: () => "e1",
    lingerMs: 60_000,
    abort: () => aborts += 1,
    onEnd: () => {
      ends += 1;
      ended.resolve();
    },
    ...changes,
  });
  return { transport, ended: ended.promise, counts: () => ({ ends, aborts }) };
}

Deno.test("SseTransport writes frames as events, with an id to resume from", async () => {
  const { transport, ended, counts } = stream();
  transport.send('{"n":1}');
  transport.send('{"n":2}', 17);
  assert(transport.bufferedBytes > 0);
  const reading = new Response(transport.body).text();
  while (transport.bufferedBytes > 0) await settle();
  transport.close();
  assertEquals(
    await reading,
    'retry: 1234\n\ndata: {"n":1}\n\nid: 17.e1\ndata: {"n":2}\n\n',
  );
  await ended;
  assertEquals(counts(), { ends: 1, aborts: 0 }, "what waited was taken: nothing to abort");
});

Deno.test("SseTransport ends once when its reader goes, and takes nothing more", async () => {
  const { transport, ended, counts } = stream({ keepAliveMs: 60_000 });
  await transport.body.cancel();
  await ended;
  transport.close();
  assertEquals(counts(), { ends: 1, aborts: 0 });
  assertThrows(() => transport.send("{}"), TypeError);
});

Deno.test("SseTransport ends a connection by force whose reader takes nothing", async () => {
  const { transport, ended, counts } = stream({ lingerMs: 1 });
  transport.send("{}");
  transport.close();
  await ended;
  assertEquals(counts(), { ends: 1, aborts: 1 });
});
