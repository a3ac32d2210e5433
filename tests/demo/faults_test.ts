import { Faults } from "../../src/demo/faults.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";

Deno.test("Faults.of() prefers a method's own fault to that of all", () => {
  const faults = new Faults({ clock: new FakeClock() });
  assertEquals(faults.of("A"), undefined);
  faults.set("slow");
  faults.set("hang", { method: "A" });
  assertEquals([faults.of("A"), faults.of("B")], ["hang", "slow"]);
  faults.clear("A");
  assertEquals([faults.of("A"), faults.of("B")], ["slow", "slow"]);
  faults.clear();
  assertEquals(faults.list(), []);
});

Deno.test("Faults.set() for all methods takes the place of every other fault", () => {
  const faults = new Faults({ clock: new FakeClock() });
  faults.set("hang", { method: "A" });
  faults.set("500");
  assertEquals(faults.list(), [{ mode: "500" }]);
});

Deno.test("Faults.of() forgets a fault whose time is up", async () => {
  const clock = new FakeClock();
  const faults = new Faults({ clock });
  faults.set("garbage", { method: "A", forMs: 5000 });
  assertEquals(faults.list(), [{ mode: "garbage", method: "A", until: FakeClock.EPOCH + 5 }]);
  await clock.advance(4999);
  assertEquals(faults.of("A"), "garbage");
  await clock.advance(1);
  assertEquals([faults.of("A"), faults.list()], [undefined, []]);
});

Deno.test("Faults.set() lets refuse end by itself and last no longer than five minutes", async () => {
  const clock = new FakeClock();
  const faults = new Faults({ clock });
  faults.set("refuse");
  assertEquals(faults.refuseForMs(), 10_000);
  await clock.advance(10_000);
  assertEquals(faults.refuseForMs(), 0);
  assertThrows(() => faults.set("refuse", { forMs: 300_001 }), RangeError, "at most 5m");
  assertThrows(() => faults.set("refuse", { method: "A" }), RangeError, `leave "method" out`);
  assertEquals(faults.list(), []);
});
