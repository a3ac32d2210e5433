import type { IncidentReport } from "../../src/protocol/incident.ts";
import { incidentWords, openFirst } from "../../src/page/reports/incident_words.ts";
import { assertEquals, assertMatch } from "../support/assert.ts";

const at = (text: string) => Date.parse(text) / 1000;
const titleOf = (channel: string) => channel === "queue" ? "Orders" : channel;

const OVER: IncidentReport = {
  id: "backend_down-1",
  kind: "backend_down",
  backend: "demo",
  started_at: at("2026-01-31T16:48:22"),
  ended_at: at("2026-01-31T16:48:50"),
  duration_ms: 28_000,
  cause: "POST http://127.0.0.1:9/rpc GetQueue: no answer within 13000 ms",
  failures: 9,
  times: 2,
};

Deno.test("incidentWords() tells an incident as people do", () => {
  assertEquals(incidentWords(OVER, titleOf, at("2026-01-31T18:00:00")), {
    what: "demo down 28 s, 16:48:22 to 16:48:50",
    why: "no answer within 13 s (POST http://127.0.0.1:9/rpc GetQueue)",
    more: "9 failures in a row, began 2 times",
  });
});

Deno.test("incidentWords() gives the date of another day, once", () => {
  const { what } = incidentWords(OVER, titleOf, at("2026-02-03T18:00:00"));
  assertEquals(what, "demo down 28 s, 2026-01-31 16:48:22 to 16:48:50");
});

Deno.test("incidentWords() says how long it has lasted so far", () => {
  const open = {
    ...OVER,
    kind: "source_stale" as const,
    channel: "queue",
    ended_at: null,
    times: 1,
  };
  const { what } = incidentWords(open, titleOf, at("2026-01-31T16:53:22"));
  assertMatch(what, /^Orders stale for 5 min, since 16:48:22$/);
});

Deno.test("openFirst() puts what lasts first, a backend before its sources", () => {
  const stale = { ...OVER, id: "s", channel: "queue", ended_at: null, started_at: 9e9 };
  const down = { ...OVER, id: "d", ended_at: null };
  const newer = { ...OVER, id: "n", started_at: OVER.started_at + 5 };
  assertEquals(openFirst([OVER, newer, stale, down]).map(({ id }) => id), [
    "d",
    "s",
    "n",
    "backend_down-1",
  ]);
});
