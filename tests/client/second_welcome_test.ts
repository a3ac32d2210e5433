/** A hub that shares a stream with others welcomes again when its numbers begin anew. */
import { type Gap, HoldfastClient } from "../../src/client/mod.ts";
import { assertEquals } from "../support/assert.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";
import { FakeNetwork, noteFrame, statusFrame, welcomeFrame } from "./fake_socket.ts";

function rig(channels?: string[]) {
  const clock = new FakeClock();
  const network = new FakeNetwork();
  const client = new HoldfastClient("http://hub.test", {
    clock,
    WebSocket: network.WebSocket,
    askDoor: false,
    random: () => 0.5,
    ...(channels ? { channels } : {}),
  });
  const gaps: Gap[] = [];
  const titles: string[] = [];
  client.on("gap", (gap) => gaps.push(gap));
  client.on("notification", ({ title }) => titles.push(title));
  return { clock, network, client, gaps, titles };
}

/** Where the client asks to go on from when it connects next. */
async function resumeOf({ clock, network }: ReturnType<typeof rig>) {
  network.last.drop(1001);
  await clock.advance(5000);
  const { searchParams } = network.last.url;
  return ["session", "epoch", "since"].map((name) => searchParams.get(name));
}

Deno.test("HoldfastClient goes on in another numbering when it is welcomed again", async () => {
  const it = rig();
  await using client = it.client;
  await settle();
  it.network.last.welcome({ seq: 100 });
  it.network.last.give(statusFrame(1, 101), noteFrame("one", 102));
  const again = welcomeFrame({ epoch: "e2", seq: 7, recovered: true });
  it.network.last.give(again);
  assertEquals(client.read("system_status").kind, "stale", "until it is said anew");
  // Numbers below those of before, and one that was had in the other numbering.
  it.network.last.give(statusFrame(1, 8), noteFrame("two", 9), noteFrame("three", 102));
  assertEquals(it.titles, ["one", "two", "three"]);
  assertEquals([it.gaps, client.read("system_status").kind], [[], "live"]);
  assertEquals(await resumeOf(it), ["s1", "e2", "102"]);
});

Deno.test("HoldfastClient tells of a gap on a connection that goes on, in the same epoch or another", async () => {
  const it = rig();
  await using _client = it.client;
  await settle();
  it.network.last.welcome({ seq: 5 });
  it.network.last.give(noteFrame("one", 6));
  it.network.last.give(welcomeFrame({ seq: 20, gap: true }));
  it.network.last.give(welcomeFrame({ epoch: "e2", seq: 3, gap: true }), noteFrame("two", 4));
  assertEquals(it.gaps, [
    { since: 6, epoch: "e1", isNewEpoch: false },
    { since: 20, epoch: "e1", isNewEpoch: true },
  ]);
  assertEquals(await resumeOf(it), ["s1", "e2", "4"]);
});

Deno.test("HoldfastClient keeps what its user subscribed to meanwhile when it is welcomed again", async () => {
  const it = rig(["system_status"]);
  await using client = it.client;
  await settle();
  it.network.last.welcome();
  client.subscribe("notification");
  await settle();
  const sent = it.network.last.sent.length;
  it.network.last.give(
    welcomeFrame({
      epoch: "e2",
      channels: ["system_status", "notification", "heartbeat", "error"],
    }),
  );
  await settle();
  assertEquals(it.network.last.sent.length, sent, "there is nothing to put right");
});
