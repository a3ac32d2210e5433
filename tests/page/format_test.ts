import {
  asText,
  cut,
  formatBytes,
  formatDuration,
  formatMoment,
  formatNumber,
  formatPercent,
  formatPlain,
  inWords,
  labelOf,
  unitOf,
} from "../../src/page/format.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("unitOf() tells the unit by the key's ending", () => {
  const cases: [key: string, value: number, unit: string][] = [
    ["used_bytes", 1, "bytes"],
    ["bytes", 1, "bytes"],
    ["received_bytes_per_second", 1, "bytes_per_second"],
    ["bytes_per_second", 1, "bytes_per_second"],
    ["jobs_per_second", 1, "per_second"],
    ["used_ratio", 0.5, "ratio"],
    ["ratio", 1, "ratio"],
    ["uptime_seconds", 1, "seconds"],
    ["lag_ms", 1, "milliseconds"],
    ["started_at", 1_764_000_000, "moment"],
    ["since", 1_764_000_000, "moment"],
    ["count", 1, "plain"],
    ["megabytes", 1, "plain"],
  ];
  for (const [key, value, unit] of cases) assertEquals(unitOf(key, value), unit, key);
});

Deno.test("unitOf() takes a number that cannot have the unit as a plain one", () => {
  assertEquals(unitOf("compression_ratio", 3.2), "plain");
  assertEquals(unitOf("change_ratio", -0.1), "plain");
  assertEquals(unitOf("looked_at", 12), "plain");
  assertEquals(unitOf("used_ratio", NaN), "plain");
});

Deno.test("formatBytes() gives three digits and a binary unit", () => {
  const cases: [bytes: number, text: string][] = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.00 KiB"],
    [10.24 * 1024, "10.2 KiB"],
    [1023.9 * 1024, "1.00 MiB"],
    [465 * 2 ** 30, "465 GiB"],
    [9.999 * 2 ** 30, "10.0 GiB"],
    [2 ** 80, "1048576 EiB"],
    [-2048, "−2.00 KiB"],
  ];
  for (const [bytes, text] of cases) assertEquals(formatBytes(bytes), text);
});

Deno.test("formatPercent() keeps what is not quite all or nothing apart from it", () => {
  const all = [0, 0.004, 0.01, 0.5, 0.99, 0.996, 1].map(formatPercent);
  assertEquals(all, ["0 %", "< 1 %", "1 %", "50 %", "99 %", "> 99 %", "100 %"]);
});

Deno.test("formatDuration() gives the two largest parts", () => {
  const all = [-5, 0, 59_999, 65_000, 3_600_000 * 2.5, 86_400_000 * 3].map(formatDuration);
  assertEquals(all, ["0 s", "0 s", "59 s", "1 min 05 s", "2 h 30 min", "3 d"]);
});

Deno.test("inWords() puts what is wrong first, and times as people say them", () => {
  assertEquals(inWords("no newer value for 13933 ms"), "no newer value for 13 s");
  assertEquals(inWords("it took 300000 ms, not 20 ms"), "it took 5 min, not 20 ms");
  assertEquals(
    inWords("health check: POST http://h:1/rpc Get: no answer within 5000 ms"),
    "no answer within 5 s (health check: POST http://h:1/rpc Get)",
  );
  assertEquals(inWords("GET http://h:1/a: HTTP 404"), "HTTP 404 (GET http://h:1/a)");
  assertEquals(inWords("POST is not possible here"), "POST is not possible here");
});

Deno.test("formatMoment() adds the date where it is not today's", () => {
  const now = new Date(2025, 10, 24, 12, 0, 0);
  const at = (date: Date) => formatMoment(date.getTime() / 1000, now);
  assertEquals(at(new Date(2025, 10, 24, 3, 4, 5)), "03:04:05");
  assertEquals(at(new Date(2025, 10, 23, 23, 59, 59)), "2025-11-23 23:59:59");
});

Deno.test("formatNumber() reads as its unit says", () => {
  assertEquals(formatNumber(2048, "bytes_per_second"), "2.00 KiB/s");
  assertEquals(formatNumber(12.345, "per_second"), "12.35/s");
  assertEquals(formatNumber(90, "seconds"), "1 min 30 s");
  assertEquals(formatNumber(250, "milliseconds"), "250 ms");
  assertEquals(formatNumber(2500, "milliseconds"), "2 s");
});

Deno.test("formatPlain() stays short for any number", () => {
  const all = [1234567, 0.5, 0.0001, 1e300, -3, Infinity].map(formatPlain);
  assertEquals(all, ["1,234,567", "0.5", "1.00e-4", "1.00e+300", "-3", "Infinity"]);
});

Deno.test("labelOf() writes a key as words, without the unit", () => {
  assertEquals(labelOf("used_bytes"), "Used");
  assertEquals(labelOf("used_bytes", { full: true }), "Used bytes");
  assertEquals(labelOf("cpu_usage_ratio"), "CPU usage");
  assertEquals(labelOf("ratio"), "Ratio");
  assertEquals(labelOf("__"), "__");
  assertEquals(labelOf("x".repeat(500)).length, 60);
});

Deno.test("asText() takes nothing that could refuse to be a text", () => {
  const hostile = JSON.parse(`{"toString": 1, "valueOf": 2}`);
  assertEquals([asText("a", "?"), asText(1, "?"), asText(hostile, "?")], ["a", "1", "?"]);
});

Deno.test("cut() says that something was cut", () => {
  assertEquals(cut("abcdef", 4), "abc…");
  assertEquals(cut("abcd", 4), "abcd");
});
