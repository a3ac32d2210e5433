import {
  ERROR_CODES,
  type ErrorCode,
  errorEvent,
  ERRORS,
  errorType,
} from "../../src/protocol/error_event.ts";
import { assert, assertEquals } from "../support/assert.ts";

/** The contract's table, written out a second time on purpose: code, type, component, severity. */
const CONTRACT: readonly [ErrorCode, string, string, string][] = [
  ["RPC_FAILURE", "rpc_error", "rpc", "error"],
  ["RPC_UNAVAILABLE", "inside_status", "rpc", "warning"],
  ["PUBLISHER_SILENT", "inside_status", "client", "warning"],
  ["SOURCE_REMOVED", "inside_status", "hub", "warning"],
  ["CIRCUIT_OPEN", "rpc_error", "rpc", "critical"],
  ["RPC_RECOVERED", "rpc_error", "rpc", "warning"],
  ["SLOW_CLIENT", "connection_error", "hub", "warning"],
  ["CLIENT_DISCONNECTED", "connection_error", "client", "warning"],
  ["JSON_MARSHAL_ERROR", "error", "hub", "error"],
  ["SERVER_SHUTDOWN", "error", "server", "critical"],
  ["BAD_MESSAGE", "error", "hub", "warning"],
  ["UNKNOWN_CHANNEL", "error", "hub", "warning"],
  ["FORBIDDEN_CHANNEL", "error", "hub", "warning"],
  ["RATE_LIMITED", "error", "hub", "warning"],
  ["CLUSTER_LOST", "connection_error", "hub", "warning"],
  ["CLUSTER_RECOVERED", "connection_error", "hub", "warning"],
];

Deno.test("ERRORS is the contract's table, no code more and none less", () => {
  const table = ERROR_CODES.map((code) => {
    const { type, component, severity } = ERRORS[code];
    return [code, type, component, severity];
  });
  assertEquals(table.toSorted(), CONTRACT.map((row) => [...row]).toSorted());
});

Deno.test("errorEvent() takes component and severity from the table", () => {
  for (const [code, , component, severity] of CONTRACT) {
    const event = errorEvent(code, "m", { timestamp: 1 });
    assertEquals({ ...event }, { code, message: "m", timestamp: 1, component, severity });
  }
});

Deno.test("errorEvent() has `details` and `data` only where they were given", () => {
  const bare = errorEvent("RPC_FAILURE", "m", { timestamp: 1 });
  assert(!("details" in bare) && !("data" in bare));
  const full = errorEvent("RPC_FAILURE", "m", { timestamp: 1, details: "", data: {} });
  assertEquals(full.details, "");
  assertEquals(full.data, {});
});

Deno.test("errorType() gives each code the frame type of the contract", () => {
  for (const [code, type] of CONTRACT) {
    assertEquals(errorType(code), type === "inside_status" ? "error" : type, code);
  }
});
