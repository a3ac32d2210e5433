import { Code, ConnectError } from "@connectrpc/connect";
import { transportFailure } from "../transport_failure.ts";
import { oneLine } from "./one_line.ts";
import type { WireFailure } from "./transport.ts";

/** gRPC's status codes by number, as its specification names them. */
const NAMES: Readonly<Record<Code, string>> = {
  [Code.Canceled]: "CANCELLED",
  [Code.Unknown]: "UNKNOWN",
  [Code.InvalidArgument]: "INVALID_ARGUMENT",
  [Code.DeadlineExceeded]: "DEADLINE_EXCEEDED",
  [Code.NotFound]: "NOT_FOUND",
  [Code.AlreadyExists]: "ALREADY_EXISTS",
  [Code.PermissionDenied]: "PERMISSION_DENIED",
  [Code.ResourceExhausted]: "RESOURCE_EXHAUSTED",
  [Code.FailedPrecondition]: "FAILED_PRECONDITION",
  [Code.Aborted]: "ABORTED",
  [Code.OutOfRange]: "OUT_OF_RANGE",
  [Code.Unimplemented]: "UNIMPLEMENTED",
  [Code.Internal]: "INTERNAL",
  [Code.Unavailable]: "UNAVAILABLE",
  [Code.DataLoss]: "DATA_LOSS",
  [Code.Unauthenticated]: "UNAUTHENTICATED",
};

/** The codes that blame the call; all the others say that the backend cannot be asked just now. */
const BLAMES_THE_CALL: ReadonlySet<Code> = new Set([
  Code.InvalidArgument,
  Code.NotFound,
  Code.AlreadyExists,
  Code.PermissionDenied,
  Code.FailedPrecondition,
  Code.OutOfRange,
  Code.Unimplemented,
  Code.Unauthenticated,
]);

/** How Node's TLS words it that a certificate is not to be trusted; one that is over is told first. */
const TLS_EXPIRED = /certificate has expired/i;
const TLS_UNTRUSTED = /self[- ]signed certificate|unable to (get|verify)|unknown ?issuer/i;

/** The failed outcome for whatever a call threw. */
export function outcomeOf(error: unknown): WireFailure {
  const { code, rawMessage, cause } = ConnectError.from(error);
  if (cause === undefined) {
    const message = oneLine(rawMessage);
    const reason = message === "" ? `gRPC ${NAMES[code]}` : `gRPC ${NAMES[code]}: ${message}`;
    return { kind: BLAMES_THE_CALL.has(code) ? "rejected" : "unavailable", reason };
  }
  // With a cause it came from this side of the wire, whatever code was made up for it.
  return { kind: "unavailable", reason: failureOf(cause) };
}

function failureOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : "";
  if (TLS_EXPIRED.test(message)) return "TLS certificate has expired";
  return TLS_UNTRUSTED.test(message) ? "TLS certificate not trusted" : transportFailure(cause);
}
