import { limitedStatus } from "../../../src/server/reports/limited_status.ts";
import type { StatusReport } from "../../../src/server/reports/status_report.ts";
import { readerOf } from "../../../src/server/door/rights.ts";
import { assertEquals, assertStrictEquals } from "../../support/assert.ts";

const BACKEND = { state: "open", consecutive_failures: 3, retry_after_ms: 5 } as const;
const SOURCE = { last_success: 1, last_error: "why", is_stale: true, age_ms: 5 };
const STATUS: StatusReport = {
  version: "1",
  uptime_seconds: 1,
  total_clients: 1,
  error_count: 0,
  slow_client_drops: 0,
  read_errors: 0,
  write_errors: 0,
  errors_by_code: {},
  backends: {
    shared: { ...BACKEND, last_error: "POST http://shared/rpc" },
    own: { ...BACKEND, last_error: "POST http://own/rpc" },
    hidden: { ...BACKEND, last_error: "POST http://hidden/rpc" },
  },
  sources: { a: SOURCE, b: SOURCE, c: SOURCE },
};
const FED = [
  { channel: "a", backend: "own" },
  { channel: "a2", backend: "shared" },
  { channel: "b", backend: "shared" },
  { channel: "c", backend: "hidden" },
];

Deno.test("C31: limitedStatus() speaks of what somebody may read, and of nothing else", () => {
  const { backends, sources, ...rest } = limitedStatus(STATUS, readerOf(["a*"]), FED);
  assertEquals(Object.keys(sources), ["a"]);
  assertEquals(Object.entries(backends).map(([name, { last_error }]) => [name, last_error]), [
    ["shared", null],
    ["own", "POST http://own/rpc"],
  ]);
  assertEquals(rest.version, "1");
  const nothing = limitedStatus(STATUS, readerOf([]), FED);
  assertEquals([nothing.backends, nothing.sources], [{}, {}]);
  assertStrictEquals(limitedStatus(STATUS, readerOf(["*"]), FED), STATUS);
});
