import { encodeFrame } from "../../../src/protocol/codec.ts";
import { type Lane, MAX_CONTROL_FRAMES, Outbox } from "../../../src/hub/delivery/outbox.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { text } from "../../support/hub_bench.ts";

function frame(type: string, seq?: number) {
  return encodeFrame(type, text({}), 0, seq);
}

function drain(outbox: Outbox): string[] {
  const order: string[] = [];
  for (let next = outbox.peek(); next !== undefined; next = outbox.peek()) {
    order.push(`${next.type} ${next.seq}`);
    outbox.drop();
  }
  return order;
}

Deno.test("Outbox empties its lanes in order: control, events, values", () => {
  const outbox = new Outbox(10);
  const pushed: [string, number, Lane][] = [
    ["a", 1, "status"],
    ["notification", 2, "event"],
    ["heartbeat", 3, "control"],
    ["notification", 4, "event"],
    ["b", 5, "status"],
    ["a", 6, "status"],
  ];
  const verdicts = pushed.map(([type, seq, lane]) => outbox.push(frame(type, seq), lane));
  assertEquals(verdicts, ["queued", "queued", "queued", "queued", "queued", "conflated"]);
  assertEquals(outbox.size, 5);
  assertEquals(outbox.firstWaitingEvent(), 2);
  assertEquals(drain(outbox), ["heartbeat 3", "notification 2", "notification 4", "a 6", "b 5"]);
  assert(outbox.isEmpty);
  assertEquals([outbox.size, outbox.weight], [0, 0]);
});

Deno.test("Outbox.push() refuses an event too many and keeps the ones it has", () => {
  const outbox = new Outbox(2);
  const verdicts = [1, 2, 3].map((seq) => outbox.push(frame("notification", seq), "event"));
  assertEquals(verdicts, ["queued", "queued", "overflow"]);
  assertEquals(drain(outbox), ["notification 1", "notification 2"]);
});

Deno.test("Outbox.push() bounds the control lane, too", () => {
  const outbox = new Outbox(2);
  for (let nth = 0; nth < MAX_CONTROL_FRAMES; nth++) {
    assertEquals(outbox.push(frame("pong"), "control"), "queued");
  }
  assertEquals(outbox.push(frame("pong"), "control"), "overflow");
  assertEquals(outbox.size, MAX_CONTROL_FRAMES);
});

Deno.test("Outbox.peekMany() shows what goes next, as much as fits but at least one", () => {
  const outbox = new Outbox(10);
  for (let seq = 1; seq <= 5; seq++) outbox.push(frame("notification", seq), "event");
  const each = frame("notification", 1).text.length;
  assertEquals(outbox.weight, 5 * each);
  assertEquals(outbox.peekMany(3 * each).map(({ seq }) => seq), [1, 2, 3]);
  assertEquals(outbox.peekMany(1).map(({ seq }) => seq), [1]);
  assertEquals(outbox.size, 5, "they are left in place");
  assertEquals(new Outbox(1).peekMany(100), []);
});

Deno.test("Outbox.restore() puts what was missed ahead of new events, errors behind it", () => {
  const outbox = new Outbox(10);
  outbox.restore([frame("notification", 1), frame("rpc_error", 2)]);
  outbox.push(frame("notification", 4), "event");
  outbox.push(frame("rpc_error", 5), "control");
  outbox.push(frame("pong"), "control");
  assertEquals(drain(outbox), [
    "pong undefined",
    "notification 1",
    "rpc_error 2",
    "notification 4",
    "rpc_error 5",
  ]);
});

Deno.test("Outbox.clear() forgets everything", () => {
  const outbox = new Outbox(10);
  outbox.restore([frame("notification", 1)]);
  for (const lane of ["control", "event", "status"] as const) outbox.push(frame("a", 2), lane);
  outbox.clear();
  assert(outbox.isEmpty);
  assertEquals(outbox.peek(), undefined);
});

Deno.test("Outbox costs an idle client no lanes of its own", () => {
  const COUNT = 100_000;
  const boxes: Outbox[] = new Array(COUNT);
  const before = Deno.memoryUsage().heapUsed;
  for (let nth = 0; nth < COUNT; nth++) boxes[nth] = new Outbox(256);
  const each = (Deno.memoryUsage().heapUsed - before) / COUNT;
  assertEquals(boxes.length, COUNT);
  // Seven fields are some 80 bytes; three arrays would be 48 more, and a Map 200.
  assert(each < 120, `${Math.round(each)} bytes each`);
});
