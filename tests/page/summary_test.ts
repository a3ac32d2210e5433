import type { ConnectionState } from "../../src/client/mod.ts";
import { summarize, type SummaryInput } from "../../src/page/summary.ts";
import { assertEquals } from "../support/assert.ts";

const OPEN = { kind: "open", welcome: {} } as ConnectionState;

function say(input: Partial<SummaryInput>): string[] {
  const { standing, text } = summarize({
    connection: OPEN,
    live: 0,
    stale: 0,
    neverSeen: 0,
    neverAnswered: 0,
    backendsDown: [],
    ...input,
  });
  return [standing, text];
}

Deno.test("summarize() tells how the sources stand", () => {
  assertEquals(say({ live: 4 }), ["good", "All 4 sources are live"]);
  assertEquals(say({ live: 1 }), ["good", "The source is live"]);
  assertEquals(say({ live: 3, stale: 1 }), ["stale", "1 of 4 sources is stale"]);
  assertEquals(say({ live: 1, stale: 2 }), ["stale", "2 of 3 sources are stale"]);
  assertEquals(say({ stale: 2, backendsDown: ["core"] }), [
    "failed",
    "All 2 sources are stale: core does not answer",
  ]);
  assertEquals(say({ stale: 1, live: 1, backendsDown: ["a", "b", "c", "d"] }), [
    "failed",
    "1 of 2 sources is stale: a, b, c and 1 more do not answer",
  ]);
  assertEquals(say({ live: 1, neverSeen: 1 }), ["idle", "1 of 2 sources has no value yet"]);
  assertEquals(say({ neverSeen: 2, backendsDown: ["core"] }), [
    "failed",
    "2 of 2 sources have no value yet: core does not answer",
  ]);
  assertEquals(say({}), ["idle", "Connected; this hub has no sources"]);
});

Deno.test("C23: summarize() counts sources that never answered after a try among the failing, and has their mark", () => {
  assertEquals(say({ live: 1, stale: 2, neverSeen: 2, neverAnswered: 2 }), [
    "failed",
    "4 of 5 sources are failing (2 stale, 2 never answered)",
  ]);
  assertEquals(say({ live: 1, neverSeen: 1, neverAnswered: 1, backendsDown: ["core"] }), [
    "failed",
    "1 of 2 sources is without an answer: core does not answer",
  ]);
  assertEquals(say({ neverSeen: 2, neverAnswered: 2 }), [
    "failed",
    "All 2 sources are without an answer",
  ]);
});

Deno.test("summarize() never calls anything live while there is no connection", () => {
  const states: ConnectionState[] = [
    { kind: "waiting", reason: "gone", waitMs: 1 },
    { kind: "connecting", attempt: 2 },
    { kind: "stopped", code: "forbidden", reason: "no" },
    { kind: "stopped", code: "unauthorized", reason: "no" },
    { kind: "closed" },
  ];
  for (const connection of states) {
    assertEquals(
      summarize({
        connection,
        live: 4,
        stale: 0,
        neverSeen: 0,
        neverAnswered: 0,
        backendsDown: [],
      }).standing,
      "gone",
    );
  }
  assertEquals(say({ connection: { kind: "connecting", attempt: 1 } })[0], "idle");
});
