import {
  ABSENT_AFTER_MS,
  MAX_HUBS,
  type Presence,
  ROLL_CALL_EVERY_MS,
  RollCall,
} from "../../src/cluster/roll_call.ts";
import { assertEquals } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeServer } from "./fake_server.ts";

function bench() {
  const clock = new FakeClock();
  const server = new FakeServer(clock);
  const join = (presence: Presence) => {
    const engine = server.connect();
    const roll = new RollCall({ clock, present: () => presence });
    void roll.run(engine);
    return { engine, roll };
  };
  return { clock, server, join };
}

function names(roll: RollCall): string[] {
  return roll.hubs().map(({ hub, clients }) => `${hub} ${clients}`);
}

Deno.test("RollCall knows a newcomer, and is known to it, at once", async () => {
  const { clock, join } = bench();
  const one = join({ hub: "one", role: "leader", clients: 3, backends: { core: {} } });
  await clock.advance(0);
  const two = join({ hub: "two", role: "follower", clients: 4 });
  await clock.advance(0);
  assertEquals(names(one.roll), ["one 3", "two 4"], "itself first");
  assertEquals(names(two.roll), ["two 4", "one 3"]);
  assertEquals(two.roll.hubs()[1]?.backends, { core: {} });
  one.engine.lose("the end");
  two.engine.lose("the end");
  await clock.advance(0);
  assertEquals(clock.sleeping, 0);
});

Deno.test("RollCall forgets who says goodbye at once, and who falls silent after a while", async () => {
  const { clock, join } = bench();
  const one = join({ hub: "one", role: "leader", clients: 1 });
  const two = join({ hub: "two", role: "follower", clients: 1 });
  const three = join({ hub: "three", role: "follower", clients: 1 });
  await clock.advance(ROLL_CALL_EVERY_MS);
  assertEquals(one.roll.hubs().length, 3);
  two.roll.sayGoodbye(two.engine);
  two.engine.lose("left");
  assertEquals(names(one.roll), ["one 1", "three 1"]);
  three.engine.lose("killed");
  await clock.advance(ABSENT_AFTER_MS);
  assertEquals(one.roll.hubs().length, 2);
  await clock.advance(1);
  assertEquals(names(one.roll), ["one 1"]);
  one.engine.lose("the end");
  await clock.advance(0);
});

Deno.test("RollCall hears nothing in what is no roll call, and counts no more than its bound", async () => {
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
  one.engine.lose("the end");
  await clock.advance(0);
});
