import { encodeFrame } from "../../../src/protocol/codec.ts";
import { SharedBatch } from "../../../src/hub/delivery/shared_batch.ts";
import { assert, assertEquals, assertStrictEquals } from "../../support/assert.ts";
import { text } from "../../support/hub_bench.ts";

function frame(type: string, seq: number) {
  return encodeFrame(type, text({}), 0, seq);
}

Deno.test("SharedBatch.with() brings all who take the same step to the same batch", () => {
  const empty = SharedBatch.empty(10);
  const [one, two] = [frame("a", 1), frame("b", 2)];
  const batch = empty.with(one, "status").with(two, "status");
  assertStrictEquals(empty.with(one, "status").with(two, "status"), batch);
  assertStrictEquals(batch.text, `[${one.text},${two.text}]`);
  assert(empty.with(two, "status") !== batch, "who did not get the first is somewhere else");
  assertEquals([empty.size, batch.size], [0, 2], "to go on changes nothing behind");
});

Deno.test("SharedBatch has its frames in the order of their lanes, with what waited behind them", () => {
  const batch = SharedBatch.empty(10)
    .with(frame("a", 1), "status")
    .with(frame("notification", 2), "event")
    .with(frame("rpc_error", 3), "control")
    .with(frame("notification", 4), "event")
    .with(frame("a", 5), "status");
  assertEquals(batch.verdict, "conflated");
  assertEquals(
    batch.frames.map(({ frame, firstWaitingEvent }) => [frame.type, frame.seq, firstWaitingEvent]),
    [
      ["rpc_error", 3, 2],
      ["notification", 2, 2],
      ["notification", 4, 4],
      ["a", 5, undefined],
    ],
  );
  assertEquals(JSON.parse(batch.text).map(({ seq }: { seq: number }) => seq), [3, 2, 4, 5]);
});

Deno.test("SharedBatch.with() says when one more event does not fit, and leaves it out", () => {
  const full = SharedBatch.empty(2)
    .with(frame("notification", 1), "event")
    .with(frame("notification", 2), "event");
  const over = full.with(frame("notification", 3), "event");
  assertEquals([full.verdict, over.verdict, over.size], ["queued", "overflow", 2]);
});

Deno.test("SharedBatch.copy() is for one client alone", () => {
  const batch = SharedBatch.empty(10).with(frame("notification", 1), "event");
  const outbox = batch.copy();
  outbox.push(frame("notification", 2), "event");
  outbox.drop();
  assertEquals([outbox.size, batch.size, batch.frames.length], [1, 1, 1]);
});
