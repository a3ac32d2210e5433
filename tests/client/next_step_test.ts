import { assertEquals } from "../support/assert.ts";
import { CLOSE } from "../../src/protocol/close_code.ts";
import { adviceFor, MAX_TOLD_WAIT_MS, nextStep } from "../../src/client/next_step.ts";

Deno.test("adviceFor() is the table's for each of its rows, backoff for every other code", () => {
  for (const row of Object.values(CLOSE)) assertEquals(adviceFor(row), row.advice);
  for (const code of [0, 1000, 1005, 1006, 1012, 4000]) {
    assertEquals(adviceFor({ code, reason: "" }), "with_backoff");
  }
});

Deno.test("nextStep() stops after every close that is not to be repeated, and no other", () => {
  for (const { code, reason, advice } of Object.values(CLOSE)) {
    const { kind } = nextStep({ kind: "closed", code, reason }, { backoffMs: 5 });
    assertEquals(kind, advice === "not_without_a_fix" ? "stop" : "wait", reason);
  }
});

Deno.test("nextStep() prefers the announced wait, within reason", () => {
  const ending = { kind: "closed", code: 1006, reason: "" } as const;
  const waitFor = (announcedMs: number) => {
    const step = nextStep(ending, { backoffMs: 5, announcedMs });
    return step.kind === "wait" && step.waitMs;
  };
  assertEquals(waitFor(1234), 1234);
  assertEquals(waitFor(-1), 0);
  assertEquals(waitFor(1e12), MAX_TOLD_WAIT_MS);
});

Deno.test("nextStep() adds the backoff to what the door said", () => {
  const door = { kind: "busy", status: 429, retryAfterMs: 7000 } as const;
  assertEquals(nextStep({ kind: "refused" }, { backoffMs: 250, door }), {
    kind: "wait",
    waitMs: 7250,
    reason: "the hub takes no clients just now (HTTP 429)",
    usesBackoff: true,
    isTold: true,
  });
});

Deno.test("nextStep() stops at a door that is shut", () => {
  for (const [status, code] of [[401, "unauthorized"], [403, "forbidden"]] as const) {
    const step = nextStep({ kind: "refused" }, { backoffMs: 5, door: { kind: "shut", status } });
    assertEquals(step.kind === "stop" && step.code, code);
  }
});

Deno.test("C41: nextStep() does not call a token refused where none was given", () => {
  const door = { kind: "shut", status: 401 } as const;
  const reason = (hasToken: boolean) =>
    nextStep({ kind: "refused" }, { backoffMs: 5, door, hasToken }).reason;
  assertEquals(reason(true), "the hub refused the token (HTTP 401)");
  assertEquals(reason(false), "the hub asks for a token (HTTP 401)");
});
