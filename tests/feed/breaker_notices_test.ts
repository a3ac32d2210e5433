import { BreakerNotices } from "../../src/feed/breaker_notices.ts";
import { assertEquals } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { RecordedAudience } from "../support/feed_bench.ts";

function noticesOf(owesRecovery = false) {
  const clock = new FakeClock();
  const audience = new RecordedAudience(clock);
  const notices = new BreakerNotices({ clock, audience, backend: "core", owesRecovery });
  return { audience, notices };
}

Deno.test("BreakerNotices owes clients a recovery from the opening to the closing", () => {
  const { notices, audience } = noticesOf();
  notices.announce({ to: "open", retryAfterMs: 1000, failures: 3 }, "down");
  assertEquals(notices.owesRecovery, true);
  notices.announce({ to: "closed" }, null);
  assertEquals(notices.owesRecovery, false);
  assertEquals(audience.lines, ["0 CIRCUIT_OPEN 1000", "0 RPC_RECOVERED"]);
});

Deno.test("BreakerNotices.tellRemoved() tells only clients that wait for a recovery, and once", () => {
  const silent = noticesOf();
  silent.notices.tellRemoved();
  assertEquals(silent.audience.lines, []);
  const { notices, audience } = noticesOf(true);
  notices.tellRemoved();
  notices.tellRemoved();
  assertEquals(audience.lines, ["0 RPC_RECOVERED"]);
});
