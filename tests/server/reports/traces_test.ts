import { isTracingOn, openTraces } from "../../../src/server/reports/traces.ts";
import { startLogs } from "../../../src/telemetry/log.ts";
import { assertEquals } from "../../support/assert.ts";

Deno.test("isTracingOn() is true for what the runtime takes for a yes", () => {
  for (const value of ["true", "TRUE"]) assertEquals(isTracingOn({ OTEL_DENO: value }), true);
  for (const value of [undefined, "", "false", "1", "yes"]) {
    assertEquals(isTracingOn({ OTEL_DENO: value }), false, value);
  }
  assertEquals(isTracingOn({ OTEL_DENO: "true", OTEL_SDK_DISABLED: "true" }), false);
});

Deno.test("openTraces() gives nothing where tracing is off", async () => {
  assertEquals(await openTraces({ env: {}, version: "1" }), undefined);
});

Deno.test("openTraces() says in the log where it was asked to trace and the runtime cannot", async () => {
  const lines: string[] = [];
  await using _logs = startLogs({
    level: "info",
    format: "json",
    write: (line) => void lines.push(line),
  });
  // Tests run without tracing, whatever this environment says.
  assertEquals(await openTraces({ env: { OTEL_DENO: "true" }, version: "1" }), undefined);
  assertEquals(lines.map((line) => JSON.parse(line).event), ["tracing.unavailable"]);
});
