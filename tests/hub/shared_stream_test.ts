import type { Departure, SharedFrame } from "../../src/hub/shared_stream.ts";
import { MAX_AHEAD } from "../../src/hub/clients_ahead.ts";
import { errorEvent } from "../../src/protocol/error_event.ts";
import { assertEquals } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { HubBench, type TestClient, text } from "../support/hub_bench.ts";

const EPOCH = "shared";
const NOTHING_BEFORE = { startsAfter: 0, hasGap: false };

function notice(seq: number): SharedFrame {
  return { type: "notification", data: text({ n: seq }), timestamp: 5, seq };
}

function status(seq: number): SharedFrame {
  const data = text({ data: seq, is_stale: false, cached_at: 5, age_ms: 0 });
  return { type: "a", data, timestamp: 5, seq };
}

function following(seq = 0, changes = {}): HubBench {
  const bench = new HubBench({ outboxMessages: 64, ...changes });
  bench.hub.stream.follow({ epoch: EPOCH, seq }, { startsAfter: 0, hasGap: false });
  return bench;
}

function story({ transport }: TestClient): string[] {
  return transport.frames.map(({ type, seq, data }) => {
    if (type !== "welcome") return `${type} ${seq ?? "-"}`;
    const told = data.gap ? " gap" : data.recovered ? " recovered" : "";
    return `welcome ${data.seq}${told}`;
  });
}

Deno.test("SharedStream.relay() sends frames under the stream's numbers, and the hub's own without", async () => {
  await using bench = following(6);
  const { hub } = bench;
  const client = bench.connect();
  hub.stream.relay(notice(7));
  hub.broadcast("notification", text({ own: true }));
  hub.stream.relay(status(9));
  assertEquals(story(client), ["welcome 6", "notification 7", "notification -", "a 9"]);
  assertEquals([hub.epoch, hub.seq], [EPOCH, 9]);
});

Deno.test("SharedStream.follow() welcomes every client anew when the numbering is another", async () => {
  await using bench = new HubBench();
  const { hub } = bench;
  bench.values.set("a", { data: text(1), is_stale: false, cached_at: 5, age_ms: 0 });
  const client = bench.connect({ channels: ["a", "notification"] });
  hub.broadcast("notification", text({ n: 1 }));
  hub.stream.follow({ epoch: EPOCH, seq: 40 }, NOTHING_BEFORE);
  hub.stream.relay(notice(41));
  assertEquals(story(client), [
    "welcome 0",
    "a -",
    "notification 1",
    "welcome 40 recovered",
    "a -",
    "notification 41",
  ]);
  const [first, , , again] = client.transport.frames;
  assertEquals(again?.data.session, first?.data.session, "the same client");
  assertEquals(again?.data.channels, first?.data.channels);
  assertEquals(again?.data.epoch, EPOCH);

  hub.stream.follow({ epoch: EPOCH, seq: 41 }, NOTHING_BEFORE);
  assertEquals(story(client).length, 6, "the same numbering goes on");
  hub.stream.follow({ epoch: EPOCH, seq: 45 }, { startsAfter: 45, hasGap: true });
  assertEquals(story(client).slice(6), ["welcome 45 gap", "a -"]);
  assertEquals(hub.stats.gaps, 1);
});

Deno.test("SharedStream.leave() begins a numbering of the hub's own, once", async () => {
  await using bench = following(6);
  const { hub } = bench;
  const client = bench.connect({ channels: ["notification"] });
  hub.stream.leave();
  hub.stream.leave();
  hub.broadcast("notification", text({ n: 1 }));
  assertEquals(story(client), ["welcome 6", "welcome 0 recovered", "notification 1"]);
  assertEquals(hub.epoch === EPOCH, false);
  assertEquals(hub.stream.isFollowing, false);
});

Deno.test("SharedStream takes the numbers off frames that wait when the numbering changes, and says of a gap", async () => {
  await using bench = following(6, { highWaterBytes: 100 });
  const { hub } = bench;
  const slow = bench.connectStalled({ channels: ["notification", "a"] });
  const valuesOnly = bench.connectStalled({ channels: ["a"] });
  hub.stream.relay(notice(7));
  hub.stream.relay(status(8));
  hub.stream.follow({ epoch: "another", seq: 50 }, NOTHING_BEFORE);
  hub.stream.relay(notice(51));
  await bench.release(slow);
  await bench.release(valuesOnly);
  assertEquals(story(slow), ["welcome 50 gap", "notification -", "notification 51", "a -"]);
  assertEquals(story(valuesOnly), ["welcome 50 recovered", "a -"], "nothing that counts waited");
  // A number of the old numbering would be taken for one of the new.
  const resume = { session: slow.session.id, epoch: "another", since: 50 };
  hub.disconnected(slow.session, { clean: true, code: 1000 });
  const back = bench.connect({ channels: ["notification"], resume });
  assertEquals(story(back), ["welcome 50 recovered", "notification 51"]);
});

Deno.test("SharedStream.remember() keeps for those who resume what clients here are not sent", async () => {
  await using bench = new HubBench();
  const { stream } = bench.hub;
  const here = bench.connect({ channels: ["notification"] });
  stream.follow({ epoch: EPOCH, seq: 9 }, { startsAfter: 4, hasGap: false });
  for (const seq of [5, 7]) stream.remember(notice(seq));
  stream.remember(status(8));
  stream.relay(notice(10));
  assertEquals(story(here), ["welcome 0", "welcome 9 recovered", "notification 10"]);
  const back = (since: number) => story(bench.connect({ resume: { epoch: EPOCH, since } }));
  assertEquals(back(4), [
    "welcome 4 recovered",
    "notification 5",
    "notification 7",
    "notification 10",
  ]);
  assertEquals(back(7), ["welcome 7 recovered", "notification 10"]);
  assertEquals(back(3), ["welcome 10 gap"], "that was never here");
});

Deno.test("SharedStream sends a client that is ahead of this hub no event twice, but values", async () => {
  await using bench = following(10);
  const { stream } = bench.hub;
  const ahead = bench.connect({ resume: { epoch: EPOCH, since: 12 } });
  const other = bench.connect({ channels: ["notification"] });
  for (const seq of [11, 12]) stream.relay(notice(seq));
  stream.relay(status(13));
  stream.relay(notice(14));
  assertEquals(story(ahead), ["welcome 10 recovered", "a 13", "notification 14"]);
  assertEquals(story(other), [
    "welcome 10",
    "notification 11",
    "notification 12",
    "notification 14",
  ]);
});

Deno.test("SharedStream believes no client that says it is too far ahead, nor one of another epoch", async () => {
  await using bench = following(10);
  const told = (epoch: string, since: number) =>
    story(bench.connect({ channels: ["notification"], resume: { epoch, since } }));
  assertEquals(told(EPOCH, 10 + MAX_AHEAD), ["welcome 10 recovered"]);
  assertEquals(told(EPOCH, 11 + MAX_AHEAD), ["welcome 10 gap"]);
  assertEquals(told("another", 10), ["welcome 10 gap"]);
  bench.hub.stream.leave();
  assertEquals(told(bench.hub.epoch, 1), ["welcome 0 gap"], "alone, nobody is ahead");
});

Deno.test("SharedStream lets a slow client go on at another hub right where it was", async () => {
  await using one = following(6, { highWaterBytes: 50 });
  await using two = following(6);
  const slow = one.connectStalled({ channels: ["notification", "error"] });
  const failed: SharedFrame = {
    type: "rpc_error",
    data: text({ code: "RPC_FAILURE" }),
    timestamp: 5,
    seq: 9,
    code: "RPC_FAILURE",
  };
  const frames = [notice(7), notice(8), failed];
  for (const { hub } of [one, two]) for (const frame of frames) hub.stream.relay(frame);
  // The error overtakes what waits: its number would say nothing of the events before it, and this
  // hub may be gone when the client names it to another.
  slow.transport.isStalled = true;
  for (let look = 0; look < 2; look++) {
    slow.transport.bufferedBytes = 0;
    slow.session.flush(one.clock.now());
  }
  assertEquals(story(slow), ["rpc_error -", "notification 7"]);
  one.hub.disconnected(slow.session, { clean: true, code: 1000 });
  const { id, progress } = slow.session;
  const departure: Departure = one.hub.stream.departureOf(id, { progress });
  const channels = ["notification", "error"];
  const resume = { session: id, epoch: EPOCH, since: 7 };
  const unknown = two.connect({ channels, resume });
  assertEquals(
    story(unknown),
    ["welcome 7 recovered", "notification 8", "rpc_error 9"],
    "the error again, but nothing is missing",
  );
  two.hub.stream.learn(JSON.parse(JSON.stringify(departure)));
  const back = two.connect({ channels, resume });
  assertEquals(story(back), ["welcome 7 recovered", "notification 8"]);
});

Deno.test("C44: SharedStream tells a gap to whoever may have missed an event that has no number in it", async () => {
  await using bench = following(6);
  const { hub } = bench;
  const here = bench.connect({ channels: ["notification"] });
  hub.stream.relay(notice(7));
  hub.broadcast("notification", text({ own: true }));
  const back = (since: number) =>
    story(bench.connect({ channels: ["notification"], resume: { epoch: EPOCH, since } }));
  assertEquals(back(7), ["welcome 7 gap"]);
  hub.stream.relay(notice(8));
  assertEquals(back(7), ["welcome 8 gap"]);
  assertEquals(back(8), ["welcome 8 recovered"]);
  assertEquals(story(here), ["welcome 6", "notification 7", "notification -", "notification 8"]);
});

Deno.test("SharedStream goes back to the stream it left, and sends nobody twice what other hubs have said", async () => {
  await using bench = following(10);
  const { stream } = bench.hub;
  const channels = ["notification"];
  const present = bench.connect({ channels });
  const quick = bench.connect({ channels, resume: { epoch: EPOCH, since: 12 } });
  stream.leave();
  const fromElsewhere = bench.connect({ channels, resume: { epoch: EPOCH, since: 13 } });
  const fromNowhere = bench.connect({ channels, resume: { epoch: "another hub's", since: 3 } });
  const unheardOf = bench.connect({ channels, resume: { epoch: EPOCH, since: 15 + MAX_AHEAD } });
  const fresh = bench.connect({ channels });
  const own = bench.connect({ channels, resume: { epoch: bench.hub.epoch, since: 0 } });
  for (const { transport } of [present, quick, fromElsewhere, fromNowhere, unheardOf, fresh, own]) {
    transport.sent.length = 0;
  }
  stream.follow({ epoch: EPOCH, seq: 10 }, { startsAfter: 0, hasGap: false, writtenUpTo: 14 });
  for (const seq of [11, 12, 13, 14, 15]) stream.relay(notice(seq));
  const from = (first: number) =>
    [11, 12, 13, 14, 15].filter((seq) => seq >= first).map((seq) => `notification ${seq}`);
  assertEquals(story(present), ["welcome 10 recovered", ...from(11)]);
  assertEquals(story(quick), ["welcome 12 recovered", ...from(13)]);
  assertEquals(story(fromElsewhere), ["welcome 13 recovered", ...from(14)]);
  assertEquals(story(fromNowhere), ["welcome 14 gap", ...from(15)], "nobody knows what it had");
  assertEquals(story(unheardOf), ["welcome 14 gap", ...from(15)], "which is not to be believed");
  assertEquals(story(fresh), ["welcome 10 recovered", ...from(11)]);
  // Its epoch was this hub's own, which says nothing of the stream.
  assertEquals(story(own), ["welcome 14 gap", ...from(15)]);

  // Once there, all of them are where the hub is.
  stream.follow({ epoch: "next", seq: 16 }, NOTHING_BEFORE);
  stream.relay(notice(17));
  for (const client of [present, quick, fromElsewhere, fromNowhere, unheardOf, fresh, own]) {
    assertEquals(story(client).slice(-2), ["welcome 16 recovered", "notification 17"]);
  }
});

Deno.test("SharedStream comes to an epoch that began while it was away: who was there has had its share", async () => {
  await using bench = following(10);
  const { stream } = bench.hub;
  const channels = ["notification"];
  stream.leave();
  const late = bench.connect({ channels, resume: { epoch: "next", since: 13 } });
  const before = bench.connect({ channels, resume: { epoch: EPOCH, since: 9 } });
  for (const { transport } of [late, before]) transport.sent.length = 0;
  stream.follow({ epoch: EPOCH, seq: 10 }, { startsAfter: 0, hasGap: false, writtenUpTo: 14 });
  stream.relay(notice(11));
  stream.follow({ epoch: "next", seq: 12 }, { startsAfter: 12, hasGap: false });
  for (const seq of [13, 14, 15]) stream.relay(notice(seq));
  assertEquals(story(late).slice(-3), [
    "welcome 13 recovered",
    "notification 14",
    "notification 15",
  ]);
  const all = ["notification 11", "welcome 12 recovered", "notification 13"];
  assertEquals(story(before).slice(1, 4), all);
});

Deno.test("Hub tells of each error that a stream says, with what it speaks of", async () => {
  const told: unknown[] = [];
  const onStreamError = (...args: unknown[]) => told.push(args);
  await using bench = new HubBench({}, new FakeClock(), undefined, { onStreamError });
  bench.hub.stream.follow({ epoch: "shared", seq: 0 }, { startsAfter: 0, hasGap: false });
  const [data, details] = [{ backend: "core" }, "connection refused"];
  const event = errorEvent("CIRCUIT_OPEN", "x", { timestamp: 7, data, details });
  bench.hub.stream.relay({
    type: "rpc_error",
    data: text(event),
    timestamp: 7,
    seq: 1,
    code: "CIRCUIT_OPEN",
  });
  bench.hub.stream.relay({ type: "notification", data: text({}), timestamp: 0, seq: 2 });
  assertEquals(told, [["CIRCUIT_OPEN", { data, details, timestamp: 7 }]]);
});
