import type { Resume } from "../../../src/hub/resume/resume.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { HubBench, type TestClient, text } from "../../support/hub_bench.ts";

/** The numbers of the frames a client got, in order. */
function seqsOf({ transport }: TestClient): number[] {
  return transport.frames.flatMap(({ seq }) => seq === undefined ? [] : [seq]);
}

function greetingOf({ transport }: TestClient) {
  const { recovered, gap, previous_close } = transport.frames[0]?.data ?? {};
  return { recovered, gap, previous_close };
}

function goneFrom(bench: HubBench, { session }: TestClient): Resume & { session: string } {
  bench.hub.disconnected(session, { clean: true, code: 1000 });
  return { session: session.id, epoch: bench.hub.epoch };
}

const RECOVERED = { recovered: true, gap: false, previous_close: undefined };
const GAP = { recovered: false, gap: true, previous_close: undefined };

Deno.test("Hub.connect() replays in order, without a gap or a double between replay and live", async () => {
  await using bench = new HubBench({ outboxMessages: 4, highWaterBytes: 100 });
  const resume = goneFrom(bench, bench.connect({ channels: ["notification"] }));
  for (let n = 1; n <= 50; n++) bench.hub.broadcast("notification", text({ n }));
  const back = bench.connect({ channels: ["notification"], resume: { ...resume, since: 10 } });
  back.transport.isStalled = true;
  for (let n = 51; n <= 54; n++) {
    bench.hub.broadcast("notification", text({ n }));
    back.transport.take();
    await bench.clock.advance(5);
  }
  await bench.release(back);
  assertEquals(greetingOf(back), RECOVERED);
  assertEquals(seqsOf(back), Array.from({ length: 44 }, (_, at) => at + 11));
  assertEquals(back.transport.closed, undefined, "more was missed than may wait, and yet");
});

Deno.test("Hub.connect() resumes a client that had got nothing but its welcome", async () => {
  await using bench = new HubBench();
  const first = bench.connect();
  const since = Number(first.transport.frames[0]?.data.seq);
  const resume = { ...goneFrom(bench, first), since };
  assertEquals(greetingOf(bench.connect({ resume })), RECOVERED);
  bench.hub.broadcast("notification", text({ n: 1 }));
  const back = bench.connect({ resume });
  assertEquals([greetingOf(back), seqsOf(back)], [RECOVERED, [1]]);
});

Deno.test("Hub.connect() sends the latest values after what was missed, not the values missed", async () => {
  await using bench = new HubBench();
  const resume = { ...goneFrom(bench, bench.connect()), since: 0 };
  bench.hub.broadcast("a", text({ n: 1 }));
  bench.hub.broadcast("notification", text({ n: 2 }));
  bench.hub.broadcast("a", text({ n: 3 }));
  bench.values.set("a", { data: text(3), is_stale: false, cached_at: 5, age_ms: 0 });
  const { transport } = bench.connect({ resume });
  assertEquals(transport.types, ["welcome", "notification", "a"]);
  assertEquals(transport.frames[2]?.data.data, 3);
});

Deno.test("Hub.connect() tells of a gap whenever it cannot know what was missed", async () => {
  await using bench = new HubBench();
  const resume = goneFrom(bench, bench.connect());
  bench.hub.broadcast("notification", text({ n: 1 }));
  const impossible: Resume[] = [
    { ...resume, epoch: "another", since: 0 },
    { ...resume, since: 2 },
    { ...resume, since: NaN },
    resume,
    {},
  ];
  for (const each of impossible) {
    const back = bench.connect({ resume: each });
    assertEquals([greetingOf(back), seqsOf(back)], [GAP, []], JSON.stringify(each));
  }
  assertEquals(greetingOf(bench.connect()), { ...GAP, gap: false }, "who does not resume, misses");
});

Deno.test("Hub.connect() tells of a gap when what was missed is no longer kept", async () => {
  await using bench = new HubBench();
  const resume = goneFrom(bench, bench.connect());
  for (let n = 1; n <= 101; n++) bench.hub.broadcast("notification", text({ n })); // 100 are kept
  assertEquals(greetingOf(bench.connect({ resume: { ...resume, since: 0 } })), GAP);
  assertEquals(greetingOf(bench.connect({ resume: { ...resume, since: 1 } })), RECOVERED);
  await bench.clock.advance(300_001);
  assertEquals(greetingOf(bench.connect({ resume: { ...resume, since: 100 } })), GAP);
  assertEquals(greetingOf(bench.connect({ resume: { ...resume, since: 101 } })), RECOVERED);
  const channels = ["a"];
  assertEquals(
    greetingOf(bench.connect({ channels, resume: { ...resume, since: 1 } })),
    RECOVERED,
    "nothing that it wants was lost",
  );
});

Deno.test("Hub.connect() starts afresh after a gap", async () => {
  await using bench = new HubBench();
  const first = bench.connect();
  const back = bench.connect({ resume: { ...goneFrom(bench, first), epoch: "another", since: 0 } });
  bench.hub.broadcast("notification", text({ n: 1 }));
  const resume = { ...goneFrom(bench, back), since: 0 };
  const again = bench.connect({ resume });
  assertEquals([greetingOf(again), seqsOf(again)], [RECOVERED, [1]]);
});

Deno.test("Hub.connect() replays nothing that the client may not read any more", async () => {
  await using bench = new HubBench();
  const resume = { ...goneFrom(bench, bench.connect()), since: 0 };
  bench.hub.broadcast("notification", text({ n: 1 }));
  bench.hub.broadcast("rpc_error", text({ n: 2 }));
  const mayRead = (channel: string) => channel !== "notification";
  assertEquals(seqsOf(bench.connect({ resume, mayRead })), [2]);
});

Deno.test("Hub.connect() resumes a client whose earlier connection was not missed yet", async () => {
  await using bench = new HubBench();
  const ghost = bench.connectStalled();
  bench.hub.broadcast("notification", text({ n: 1 }));
  bench.hub.broadcast("rpc_error", text({ n: 2 }));
  ghost.transport.isStalled = false;
  ghost.transport.take(999_900); // room for one frame: the error
  ghost.transport.bufferedBytes = 950;
  ghost.transport.isStalled = true;
  await bench.clock.advance(60);
  assertEquals(seqsOf(ghost), [2], "the error has overtaken the event");
  const resume = { session: ghost.session.id, epoch: bench.hub.epoch, since: 2 };
  assertEquals(seqsOf(bench.connect({ resume })), [1]);
});

Deno.test("Hub.connect() loses nothing to a client that drops again before its replay came", async () => {
  await using bench = new HubBench();
  const first = bench.connectStalled();
  bench.hub.broadcast("notification", text({ n: 1 }));
  bench.hub.broadcast("rpc_error", text({ n: 2 }));
  first.transport.take(999_900);
  first.transport.bufferedBytes = 950;
  await bench.clock.advance(60);
  assertEquals(seqsOf(first), [2]);
  let resume = { ...goneFrom(bench, first), since: 2 };
  for (let attempt = 0; attempt < 3; attempt++) {
    const back = bench.connect({ resume });
    assertEquals([greetingOf(back), seqsOf(back)], [RECOVERED, [1]], `attempt ${attempt}`);
    resume = { ...goneFrom(bench, back), since: 2 }; // it saw the welcome and no more
  }
});

Deno.test("Hub.connect() tells a client that comes back why it was closed, for as long as it knows", async () => {
  await using bench = new HubBench({ outboxMessages: 1 });
  const { session } = bench.connectStalled({ channels: ["notification"] });
  bench.hub.broadcast("notification", text({ n: 0 }));
  await bench.clock.advance(200); // time enough to take something
  bench.hub.broadcast("notification", text({ n: 1 }));
  const resume = { session: session.id, epoch: bench.hub.epoch, since: 0 };
  for (let time = 0; time < 2; time++) {
    assertEquals(greetingOf(bench.connect({ resume })).previous_close, "SLOW_CLIENT");
  }
  const foreign = { ...resume, epoch: "another" };
  assertEquals(greetingOf(bench.connect({ resume: foreign })).previous_close, "SLOW_CLIENT");
  await bench.clock.advance(300_001);
  assertEquals(greetingOf(bench.connect({ resume })).previous_close, undefined);
  assert(bench.hub.errorMetrics().slow_client_drops >= 1);
});
