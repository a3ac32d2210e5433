import { Expiries } from "../../../src/server/door/expiry.ts";
import type { Clock } from "../../../src/resilience/clock.ts";
import { assertEquals } from "../../support/assert.ts";
import { FakeClock } from "../../support/fake_clock.ts";

/** A clock whose wall part can be stepped, as by a suspended machine. */
class SteppedClock extends FakeClock implements Clock {
  stepSeconds = 0;

  override unixSeconds(): number {
    return super.unixSeconds() + this.stepSeconds;
  }
}

Deno.test("Expiries calls back at its time, unless disposed of before", async () => {
  const clock = new FakeClock();
  using stop = new AbortOnDispose();
  const expiries = new Expiries({ clock, signal: stop.signal });
  const expired: string[] = [];
  expiries.add(FakeClock.EPOCH + 10, () => expired.push("ten"));
  expiries.add(FakeClock.EPOCH + 5.5, () => expired.push("five"));
  using _never = expiries.add(undefined, () => expired.push("never"));
  expiries.add(FakeClock.EPOCH + 7, () => expired.push("gone"))[Symbol.dispose]();
  await clock.advance(5000);
  assertEquals(expired, []);
  await clock.advance(1000);
  assertEquals(expired, ["five"]);
  await clock.advance(60_000);
  assertEquals(expired, ["five", "ten"]);
  assertEquals(clock.sleeping, 0, "nothing is looked at when nothing can expire");
  expiries.add(0, () => expired.push("at once"));
  await clock.advance(1000);
  assertEquals(expired.at(-1), "at once");
});

Deno.test("C17: Expiries goes by the wall clock, also after a suspend", async () => {
  const clock = new SteppedClock();
  using stop = new AbortOnDispose();
  const expiries = new Expiries({ clock, signal: stop.signal });
  let expired = 0;
  expiries.add(FakeClock.EPOCH + 3600, () => expired += 1);
  await clock.advance(10_000);
  assertEquals(expired, 0);
  clock.stepSeconds = 3600;
  await clock.advance(1000);
  assertEquals(expired, 1);
  clock.stepSeconds = -3600;
  expiries.add(FakeClock.EPOCH + 60, () => expired += 1);
  await clock.advance(120_000);
  assertEquals(expired, 1, "the wall clock has not come to it");
});

class AbortOnDispose extends AbortController implements Disposable {
  [Symbol.dispose](): void {
    this.abort();
  }
}
