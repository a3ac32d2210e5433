import { BackendHealth, type BackendRecord } from "../../src/feed/backend_health.ts";
import { BreakerNotices } from "../../src/feed/breaker_notices.ts";
import type { Permit } from "../../src/resilience/breaker.ts";
import type { Outcome } from "../../src/rpc/backend.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { RecordedAudience } from "../support/feed_bench.ts";
import { ok, rejected, unavailable } from "../support/scripted_backend.ts";

const CALL = { method: "a" };

function busyFor(retryAfterMs: number): Outcome {
  return { kind: "unavailable", reason: "busy", retryAfterMs };
}

/** The health of a backend whose breaker opens at the second failure, and what came of changes. */
function healthOf(before?: BackendRecord) {
  const clock = new FakeClock();
  const heard: string[] = [];
  const audience = new RecordedAudience(clock, (line) => heard.push(line));
  const owesRecovery = before !== undefined;
  const health = new BackendHealth({
    clock,
    name: "core",
    breaker: { failures: 2, openForMs: 1000, maxOpenForMs: 60_000, random: () => 0.5 },
    observer: { onBreaker: (_, to) => heard.push(`observer ${to}`) },
    notices: new BreakerNotices({ clock, audience, backend: "core", owesRecovery }),
    onChanged: (to) => heard.push(`changed ${to}`),
    onClosed: () => heard.push("closed"),
    before,
  });
  const permit = (): Permit => {
    const given = health.tryAcquire();
    assert(given);
    return given;
  };
  const learn = (outcome: Outcome, given = permit(), call = CALL) => {
    const settled = health.settle(given, { call, outcome });
    if (settled !== "late") settled.announce();
    return settled;
  };
  return { clock, health, heard, permit, learn };
}

Deno.test("BackendHealth changes first, and tells clients only when it is asked to", () => {
  const { health, heard, permit, learn } = healthOf();
  learn(unavailable("down"));
  const { era } = health;
  const settled = health.settle(permit(), { call: CALL, outcome: unavailable("down") });
  assert(settled !== "late");
  assertEquals(heard, ["changed open", "observer open"]);
  assertEquals([era.aborted, health.era.aborted, health.mayAsk], [true, false, false]);
  settled.announce();
  assertEquals(heard.slice(2), ["0 CIRCUIT_OPEN 1000"]);
  assertEquals([health.lastError, health.lastUnanswered], ["down", CALL]);
});

Deno.test("BackendHealth counts nothing for an outcome of a state that is over", () => {
  const { health, permit, learn } = healthOf();
  const early = permit();
  learn(unavailable("down"));
  learn(unavailable("down"));
  assertEquals(learn(ok(1), early), "late");
  assertEquals([health.isClosed, health.lastError], [false, "down"]);
});

Deno.test("BackendHealth.giveUp() of a trial leaves the next question to try", async () => {
  const { clock, health, heard, permit, learn } = healthOf();
  for (const reason of ["down", "down"]) learn(unavailable(reason));
  await clock.advance(1000);
  heard.length = 0;
  health.giveUp(permit());
  assertEquals(heard, ["observer half_open", "observer open"]);
  learn(ok(1));
  assertEquals(heard.slice(2), [
    "observer half_open",
    "changed closed",
    "observer closed",
    "1 RPC_RECOVERED",
    "closed",
  ]);
  assertEquals([health.isClosed, health.lastError], [true, null]);
});

Deno.test("BackendHealth lets a rejected trial close only for a question that found nobody", async () => {
  const { clock, health, learn, permit } = healthOf();
  for (const reason of ["down", "down"]) learn(unavailable(reason));
  await clock.advance(1000);
  learn(rejected("no such method"), permit(), { method: "other" });
  assertEquals(health.isClosed, false);
  learn(rejected("no such method"));
  assertEquals(health.isClosed, true);
});

Deno.test("BackendHealth keeps away for as long as the backend asks, and no longer than the breaker would", async () => {
  const { clock, health, learn } = healthOf();
  learn(busyFor(5000));
  assertEquals([health.isClosed, health.isLeftAlone, health.retryAfterMs()], [true, true, 5000]);
  assertEquals(health.tryAcquire(), undefined);
  assert(health.permitToReport(), "what is learned without a question counts all the same");
  await clock.advance(5000);
  assertEquals([health.isLeftAlone, health.mayAsk], [false, true]);
  learn(busyFor(900_000));
  assertEquals(health.retryAfterMs(), 60_000);
});

Deno.test("BackendHealth.onHealthCheck() closes for an answer, and not for one to an older state", async () => {
  const { clock, health, heard, permit, learn } = healthOf();
  for (const reason of ["down", "down"]) learn(unavailable(reason));
  const seenIn = health.state;
  health.onHealthCheck(rejected("HTTP 404"), seenIn);
  assertEquals(health.lastError, "health check: HTTP 404");
  await clock.advance(1000);
  health.giveUp(permit());
  health.onHealthCheck(ok(1), seenIn);
  assertEquals(health.isClosed, false);
  health.onHealthCheck(ok(1), health.state);
  assertEquals(heard.slice(-2), ["1 RPC_RECOVERED", "closed"]);
});

Deno.test("BackendHealth.openRecord() has another life go on where this one was", () => {
  const { health, learn } = healthOf();
  assertEquals(health.openRecord(), undefined);
  for (const reason of ["down", "down"]) learn(unavailable(reason));
  const record = health.openRecord();
  assert(record);
  const next = healthOf(structuredClone(record));
  assertEquals(next.health.openRecord(), record);
  assertEquals([next.health.lastError, next.health.mayAsk, next.heard], ["down", false, []]);
});
