import { Broadcasts } from "../../src/hub/broadcasts.ts";
import { ValueFrames } from "../../src/hub/delivery/value_frames.ts";
import { Registry } from "../../src/hub/registry.ts";
import { History } from "../../src/hub/resume/history.ts";
import { Sequence } from "../../src/hub/resume/sequence.ts";
import type { EncodedFrame } from "../../src/protocol/codec.ts";
import { errorEvent } from "../../src/protocol/error_event.ts";
import { assert, assertEquals, assertFalse } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { HubBench, text } from "../support/hub_bench.ts";

const STATUS = { data: text(1), is_stale: false, cached_at: 0, age_ms: 0 };

/** Broadcasts to the clients of a hub's own, and who was told of what, in order. */
function broadcastsOf(hub: HubBench) {
  const heard: string[] = [];
  const frames: EncodedFrame[] = [];
  const registry = new Registry();
  const sequence = new Sequence();
  const history = new History({ maxFrames: 10, maxAgeMs: 1000 });
  const stats = { broadcasts: 0 };
  const broadcasts = new Broadcasts({
    clock: new FakeClock(),
    registry,
    sequence,
    history,
    stats,
    fanOut: {
      send: (frame, groups) => {
        frames.push(frame);
        heard.push(`clients ${frame.type} ${frame.seq} in ${[...groups].length}`);
      },
    },
    valueFrames: new ValueFrames({ values: { revision: () => 0 } }),
    channelsOf: (backend) => backend === "core" ? ["a"] : [],
    mirror: {
      broadcast: ({ type, seq }) => heard.push(`mirror ${type} ${seq}`),
      value: (channel, _, { seq }) => heard.push(`mirror ${channel} ${seq}`),
    },
    onKept: ({ type, seq }) => heard.push(`keeper ${type} ${seq}`),
  });
  const subscribe = (...channels: string[]) => {
    const { session } = hub.connect({ channels: [] });
    session.group = undefined;
    registry.subscribe(session, channels);
  };
  return { broadcasts, subscribe, heard, frames, sequence, history, stats };
}

Deno.test("Broadcasts tells its mirror and its keeper before any client, under one number", async () => {
  await using hub = new HubBench();
  const { broadcasts, subscribe, heard } = broadcastsOf(hub);
  subscribe("a", "notification");
  assertEquals(broadcasts.data("notification", text({})), 1);
  assertEquals(broadcasts.value("a", STATUS), 2);
  assertEquals(heard, [
    "mirror notification 1",
    "keeper notification 1",
    "clients notification 1 in 1",
    "mirror a 2",
    "clients a 2 in 1",
  ]);
});

Deno.test("Broadcasts encodes what nobody wants only if it is kept, and numbers and counts it all", async () => {
  await using hub = new HubBench();
  const { broadcasts, frames, history, stats } = broadcastsOf(hub);
  broadcasts.value("a", STATUS);
  broadcasts.data("heartbeat", text({}));
  assertEquals(broadcasts.data("notification", text({})), 3);
  broadcasts.error(errorEvent("CIRCUIT_OPEN", "no", { timestamp: 0 }));
  assertEquals(frames.map(({ type, seq }) => `${type} ${seq}`), ["notification 3", "rpc_error 4"]);
  assertEquals([history.size, stats.broadcasts], [2, 4]);
});

Deno.test("Broadcasts.error() marks what the error speaks of, as does one that is repeated", async () => {
  await using hub = new HubBench();
  const { broadcasts, frames } = broadcastsOf(hub);
  const event = errorEvent("CIRCUIT_OPEN", "no", { timestamp: 0, data: { backend: "core" } });
  broadcasts.error(event);
  broadcasts.repeat({ type: "rpc_error", data: text(event), timestamp: 0, seq: 9 });
  assertEquals(frames.map(({ about, seq }) => [about, seq]), [[["a"], 1], [["a"], 9]]);
});

Deno.test("Broadcasts.repeat() takes over the other hub's numbers, and tells no mirror", async () => {
  await using hub = new HubBench();
  const { broadcasts, subscribe, heard, sequence } = broadcastsOf(hub);
  subscribe("a", "notification");
  broadcasts.repeat({ type: "notification", data: text({}), timestamp: 0, seq: 5 });
  broadcasts.repeatValue("a", STATUS, { timestamp: 0, seq: 6 });
  assertEquals(sequence.seq, 6);
  assertEquals(heard, [
    "keeper notification 5",
    "clients notification 5 in 1",
    "clients a 6 in 1",
  ]);
});

Deno.test("Broadcasts without numbers of its own leaves a gap in the history for each event", async () => {
  await using hub = new HubBench();
  const { broadcasts, subscribe, heard, sequence, history } = broadcastsOf(hub);
  subscribe("notification");
  sequence.share({ epoch: "stream", seq: 7 });
  const isComplete = () => history.missedSince({ events: 7, errors: 7 }, () => true, 0).complete;
  assert(isComplete());
  assertEquals(broadcasts.data("notification", text({})), 7, "the newest of the stream");
  assertFalse(isComplete(), "who comes back now may have missed it");
  assertEquals(heard, ["mirror notification undefined", "clients notification undefined in 1"]);
});
