import { formatDuration, parseDuration } from "../../src/config/duration.ts";
import { assertEquals } from "../support/assert.ts";
import { configOf, linesOf } from "./support.ts";

Deno.test("parseDuration() reads digits and a unit as milliseconds", () => {
  const cases = { "0ms": 0, "250ms": 250, "5s": 5000, "2m": 120_000, "1h": 3_600_000 };
  for (const [text, ms] of Object.entries(cases)) assertEquals(parseDuration(text), ms, text);
  assertEquals(parseDuration("1d"), 86_400_000);
});

Deno.test("parseDuration() refuses everything else", () => {
  const wrong = ["", "5", "s", "1.5s", "-1s", "+1s", "5 s", " 5s", "5s ", "5S", "1h30m", "1e3s"];
  for (const text of [...wrong, "5s\n", "٣s", "1234567890123s", "5sec"]) {
    assertEquals(parseDuration(text), undefined, text);
  }
});

Deno.test("formatDuration() writes what parseDuration() reads", () => {
  for (const text of ["0s", "1ms", "1500ms", "90s", "2m", "1h", "24d"]) {
    assertEquals(formatDuration(parseDuration(text) ?? NaN), text);
  }
});

Deno.test("duration() refuses what a timer cannot count", () => {
  assertEquals(configOf({ hub: { history_for: "24d" } }).hub.history_for, 24 * 86_400_000);
  assertEquals(linesOf({ hub: { history_for: "25d" } }), [
    'hub.history_for: found "25d"; expected a duration such as "250ms", "5s", "2m", "1h" or "1d", ' +
    'from "0s" to "24d"',
  ]);
});

Deno.test("duration() refuses zero where nothing would ever wait", () => {
  assertEquals(linesOf({ hub: { heartbeat_every: "0s" } }).length, 1);
  assertEquals(linesOf({ hub: { ping_every: "0s" }, shutdown: { drain: "0s" } }), []);
});

Deno.test("duration() refuses a bare number", () => {
  assertEquals(linesOf({ hub: { stall_timeout: 15 } }), [
    'hub.stall_timeout: found 15; expected a duration such as "250ms", "5s", "2m", "1h" or "1d", ' +
    'from "10ms" to "12d"',
  ]);
});
