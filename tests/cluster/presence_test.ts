import {
  ABSENT_AFTER_MS,
  type HubPresence,
  MAX_HUBS,
  Presence,
  PRESENCE_EVERY_MS,
} from "../../src/cluster/presence.ts";
import { assertEquals } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeServer } from "./nats/fake_server.ts";

function bench() {
  const clock = new FakeClock();
  const server = new FakeServer(clock);
  const join = (presence: HubPresence) => {
    const broker = server.connect();
    const roll = new Presence({
      clock,
      present: () => presence,
      onAsked: () => {},
      onHeard: () => {},
    });
    void roll.run(broker);
    return { broker, roll };
  };
  return { clock, server, join };
}

function names(roll: Presence): string[] {
  return roll.hubs().map(({ hub, clients }) => `${hub} ${clients}`);
}

Deno.test("Presence knows a newcomer, and is known to it, at once", async () => {
  const { clock, join } = bench();
  const one = join({ hub: "one", role: "leader", clients: 3, backends: { core: {} } });
  await clock.advance(0);
  const two = join({ hub: "two", role: "follower", clients: 4 });
  await clock.advance(0);
  assertEquals(names(one.roll), ["one 3", "two 4"], "itself first");
  assertEquals(names(two.roll), ["two 4", "one 3"]);
  assertEquals(two.roll.hubs()[1]?.backends, { core: {} });
  one.broker.lose("the end");
  two.broker.lose("the end");
  await clock.advance(0);
  assertEquals(clock.sleeping, 0);
});

Deno.test("Presence forgets who says goodbye at once, and who falls silent after a while", async () => {
  const { clock, join } = bench();
  const one = join({ hub: "one", role: "leader", clients: 1 });
  const two = join({ hub: "two", role: "follower", clients: 1 });
  const three = join({ hub: "three", role: "follower", clients: 1 });
  await clock.advance(PRESENCE_EVERY_MS);
  assertEquals(one.roll.hubs().length, 3);
  two.roll.sayGoodbye(two.broker);
  two.broker.lose("left");
  assertEquals(names(one.roll), ["one 1", "three 1"]);
  three.broker.lose("killed");
  await clock.advance(ABSENT_AFTER_MS);
  assertEquals(one.roll.hubs().length, 2);
  await clock.advance(1);
  assertEquals(names(one.roll), ["one 1"]);
  one.broker.lose("the end");
  await clock.advance(0);
});

Deno.test("Presence hears nothing in what is no roll call, and counts no more than its bound", async () => {
  const { clock, server, join } = bench();
  const one = join({ hub: "one", role: "leader", clients: 1 });
  const stranger = server.connect();
  await clock.advance(0);
  for (const text of ["", "null", "5", "{}", `{"hub":5,"role":"x","clients":1}`, `{"hub":"x"}`]) {
    stranger.say("roll_call", text);
  }
  assertEquals(names(one.roll), ["one 1"]);
  for (let n = 0; n < MAX_HUBS + 10; n++) {
    stranger.say("roll_call", JSON.stringify({ hub: `h${n}`, role: "follower", clients: 1 }));
  }
  assertEquals(one.roll.hubs().length, MAX_HUBS + 1);
  one.roll.clear();
  assertEquals(names(one.roll), ["one 1"]);
  one.broker.lose("the end");
  await clock.advance(0);
});
