import { Pump, type Pumped } from "../../../src/hub/delivery/pump.ts";
import { assertEquals, assertLess } from "../../support/assert.ts";
import { FakeClock } from "../../support/fake_clock.ts";

/** A session that notes when it is looked at, and gets rid of so many frames a look. */
class Looked implements Pumped {
  readonly looks: number[] = [];

  constructor(public waitingFrames: number, private readonly framesALook: number) {}

  flush(now: number): boolean {
    this.looks.push(now);
    this.waitingFrames -= this.framesALook;
    return this.waitingFrames <= 0;
  }
}

function stop(): AbortController & Disposable {
  const controller = new AbortController();
  return Object.assign(controller, { [Symbol.dispose]: () => controller.abort() });
}

Deno.test("Pump comes back at once to a session that moves, until nothing waits", async () => {
  using stopping = stop();
  const clock = new FakeClock();
  const pump = new Pump({ clock, signal: stopping.signal });
  const session = new Looked(4, 1);
  pump.add(session);
  await clock.advance(100);
  assertEquals(session.looks, [1, 2, 3, 4]);
  assertEquals(clock.sleeping, 0, "nobody is blocked: nothing is looked at");
});

Deno.test("Pump looks ever more seldom at a session that stands still", async () => {
  using stopping = stop();
  const clock = new FakeClock();
  const pump = new Pump({ clock, signal: stopping.signal });
  const session = new Looked(1, 0);
  pump.add(session);
  await clock.advance(1000);
  assertEquals(session.looks.slice(0, 6), [1, 3, 7, 15, 31, 63]);
  assertEquals(session.looks.slice(-2).reduce((a, b) => b - a, 0), 50);
});

Deno.test("Pump does not let a session that stands still delay another", async () => {
  using stopping = stop();
  const clock = new FakeClock();
  const pump = new Pump({ clock, signal: stopping.signal });
  pump.add(new Looked(1, 0));
  await clock.advance(10_000); // by now it is looked at every 50 ms
  const healthy = new Looked(20, 1);
  pump.add(healthy);
  await clock.advance(25);
  assertEquals(healthy.waitingFrames, 0);
  assertEquals(healthy.looks.length, 20);
});

Deno.test("Pump ends with its signal", async () => {
  const stopping = stop();
  const clock = new FakeClock();
  const pump = new Pump({ clock, signal: stopping.signal });
  const session = new Looked(1, 0);
  pump.add(session);
  await clock.advance(1);
  stopping.abort();
  await clock.advance(1000);
  assertLess(session.looks.length, 3);
  assertEquals(clock.sleeping, 0);
});
