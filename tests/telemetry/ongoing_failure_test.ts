import { OngoingFailure } from "../../src/telemetry/ongoing_failure.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";

const MINUTE = 60_000;

Deno.test("OngoingFailure() tells the first, then reminds twice as seldom each time, at least hourly", () => {
  const trouble = new OngoingFailure();
  const told: string[] = [];
  for (let now = 0; now <= 10 * 60 * MINUTE; now += MINUTE) {
    const { kind } = trouble.failed(now);
    if (kind !== "again") told.push(`${now / MINUTE} ${kind}`);
  }
  assertEquals(told, [
    "0 first",
    "5 reminder",
    "15 reminder",
    "35 reminder",
    "75 reminder",
    "135 reminder",
    "195 reminder",
    "255 reminder",
    "315 reminder",
    "375 reminder",
    "435 reminder",
    "495 reminder",
    "555 reminder",
  ]);
});

Deno.test("OngoingFailure() counts the repeats, and how long it lasts", () => {
  const trouble = new OngoingFailure({ remindAfterMs: 100 });
  assertEquals(trouble.failed(1000), { kind: "first" });
  assertEquals(trouble.failed(1050), { kind: "again", times: 2 });
  assertEquals(trouble.failed(1200), { kind: "reminder", times: 3, lastedMs: 200 });
  assertEquals(trouble.ended(1500), { times: 3, lastedMs: 500 });
});

Deno.test("OngoingFailure.ended() says nothing where there was none, and begins anew", () => {
  const trouble = new OngoingFailure();
  assertEquals(trouble.ended(0), undefined);
  trouble.failed(0);
  trouble.ended(1);
  assertEquals(trouble.ended(2), undefined);
  assertEquals(trouble.failed(3), { kind: "first" });
});

Deno.test("OngoingFailure() throws a RangeError on a time that is not positive", () => {
  assertThrows(() => new OngoingFailure({ remindAfterMs: 0 }), RangeError, "'remindAfterMs'");
  assertThrows(() => new OngoingFailure({ maxBetweenMs: NaN }), RangeError, "'maxBetweenMs'");
});
