import { HubStats } from "../../src/hub/hub_stats.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { HubBench, text } from "../support/hub_bench.ts";

const STATUS = text({ data: 1, is_stale: false, cached_at: 1, age_ms: 0 });

/** Ends that happened. */
function closed({ stats }: { stats: HubStats }): Record<string, number> {
  return Object.fromEntries(
    (["hub", "client"] as const).flatMap((by) =>
      [...stats.closedBy(by)].filter(([, count]) => count > 0)
        .map(([code, count]) => [`${by} ${code}`, count])
    ),
  );
}

Deno.test("Hub counts each frame once for each client it is sent to, by type", async () => {
  await using bench = new HubBench();
  const { hub } = bench;
  for (let nth = 0; nth < 3; nth++) bench.connect({ channels: ["a", "notification"] });
  const batching = bench.connect({ channels: ["a"], batch: true });
  await bench.clock.advance(100);
  hub.broadcast("a", STATUS);
  hub.broadcast("notification", text({ title: "x" }));
  hub.broadcast("b", STATUS); // wanted by nobody
  await bench.clock.advance(100);
  assertEquals(batching.transport.types, ["welcome", "a"]);
  assertEquals(Object.fromEntries(hub.stats.frames()), {
    welcome: { sent: 4, conflated: 0 },
    a: { sent: 4, conflated: 0 },
    notification: { sent: 3, conflated: 0 },
  });
});

Deno.test("Hub counts what was sent, not what waits, and the frames that a newer one replaced", async () => {
  await using bench = new HubBench();
  const client = bench.connectStalled({ channels: ["a", "b"] });
  for (let nth = 0; nth < 5; nth++) bench.hub.broadcast("a", STATUS);
  bench.hub.broadcast("b", STATUS);
  assertEquals(bench.hub.stats.frames().get("a"), { sent: 0, conflated: 4 });
  assertEquals(bench.hub.backlog().frames, 2);
  await bench.release(client);
  assertEquals(bench.hub.stats.frames().get("a"), { sent: 1, conflated: 4 });
  assertEquals(bench.hub.stats.frames().get("b"), { sent: 1, conflated: 0 });
});

Deno.test("Hub.backlog() tells what waits for all clients, in frames and bytes", async () => {
  await using bench = new HubBench();
  const nothing = { clients: 0, frames: 0, bytes: 0, bufferedBytes: 0 };
  bench.connect();
  assertEquals(bench.hub.backlog(), nothing);
  const stalled = [0, 1].map(() => bench.connectStalled({ channels: ["notification"] }));
  bench.hub.broadcast("notification", text({ title: "x" }));
  const backlog = bench.hub.backlog();
  assertEquals([backlog.clients, backlog.frames, backlog.bufferedBytes], [2, 2, 2_000_000]);
  for (const client of stalled) await bench.release(client);
  assertEquals(bench.hub.backlog(), nothing);
  assertEquals(
    backlog.bytes,
    2 * (stalled[0]?.transport.sent.at(-1)?.length ?? 0),
    "what waited is what was sent at last",
  );
});

Deno.test("Hub counts who came, who resumed, and how each connection ended", async () => {
  await using bench = new HubBench();
  const { hub } = bench;
  hub.disconnected(bench.connect().session, { clean: true, code: 1000 });
  hub.disconnected(bench.connect().session, { clean: true, code: 4321 });
  const vanished = bench.connect().session;
  hub.disconnected(vanished, { clean: false, code: 0 });
  hub.disconnected(vanished, { clean: true, code: 1005 }); // told twice, counted once
  bench.connect().session.receive("x".repeat(2000), 0); // longer than this hub takes
  const slow = bench.connectStalled({ channels: ["notification"] });
  hub.broadcast("notification", text({ nth: 0 }));
  await bench.clock.advance(200); // time enough to take something
  for (let nth = 1; nth < 9; nth++) hub.broadcast("notification", text({ nth }));
  assertEquals(slow.transport.closed?.code, 1013);
  bench.connect({ resume: { session: "", epoch: hub.epoch, since: hub.seq } });
  bench.connect({ resume: { session: "", epoch: "another", since: 1 } });
  assertEquals(hub.closeFlushed(), 0);
  assertEquals(closed(hub), {
    "client 1000": 1,
    "client other": 1,
    "client none": 1,
    "hub 1009": 1,
    "hub 1013": 1,
    "hub 1001": 2,
  });
  const { opened, recovered, gaps } = hub.stats;
  assertEquals([opened, recovered, gaps], [7, 1, 1]);
});

Deno.test("Hub measures each fan-out that has somebody to reach", async () => {
  await using bench = new HubBench();
  bench.connect({ channels: ["a"] });
  bench.hub.broadcast("a", STATUS);
  bench.hub.broadcast("b", STATUS);
  assertEquals(bench.hub.stats.fanOut.value().cumulative.at(-1), 1);
});

Deno.test("Hub.channelsChanged() forgets what it counted of channels that are gone", async () => {
  await using bench = new HubBench();
  bench.connect();
  for (const channel of ["a", "b"]) bench.hub.broadcast(channel, STATUS);
  bench.statusChannels.splice(0, 1);
  bench.hub.channelsChanged();
  bench.hub.broadcast("b", STATUS);
  assertEquals([...bench.hub.stats.frames().keys()], ["welcome", "b"]);
  assertEquals(bench.hub.stats.frames().get("b")?.sent, 2);
});

Deno.test("HubStats.closed() shows codes that mean nothing as one, however many there are", () => {
  const stats = new HubStats();
  for (let code = 0; code < 5000; code++) stats.closed("client", code);
  const codes = [...stats.closedBy("client").keys()];
  assert(codes.length < 20, codes.join(" "));
  assert(codes.includes("other") && codes.includes("none") && codes.includes("1009"));
});
