/** The errors clients hear of: every code, with the frame type, component and severity it has. */

export const COMPONENTS = ["hub", "client", "rpc", "server"] as const;
export type Component = typeof COMPONENTS[number];

export const SEVERITIES = ["warning", "error", "critical"] as const;
export type Severity = typeof SEVERITIES[number];

export type ErrorType = "error" | "rpc_error" | "connection_error";

/** Where a code appears: as a frame of its own type, or inside a status frame's `error`. */
interface ErrorClass {
  readonly type: ErrorType | "inside_status";
  readonly component: Component;
  readonly severity: Severity;
  /** When it is said, for the documents. */
  readonly when: string;
}

/** The one table of error codes. Everything that speaks of an error derives from it. */
export const ERRORS = {
  RPC_FAILURE: {
    type: "rpc_error",
    component: "rpc",
    severity: "error",
    when: "a poll failed, after its retries",
  },
  RPC_UNAVAILABLE: {
    type: "inside_status",
    component: "rpc",
    severity: "warning",
    when: "the value shown is a cached one; `details` says why",
  },
  PUBLISHER_SILENT: {
    type: "inside_status",
    component: "client",
    severity: "warning",
    when: "nobody published for `stale_after`, or past `valid_for`: the value shown is an old one",
  },
  SOURCE_REMOVED: {
    type: "inside_status",
    component: "hub",
    severity: "warning",
    when: "a channel's last word: no source feeds it any more",
  },
  CIRCUIT_OPEN: {
    type: "rpc_error",
    component: "rpc",
    severity: "critical",
    when: "a backend's breaker opened",
  },
  RPC_RECOVERED: {
    type: "rpc_error",
    component: "rpc",
    severity: "warning",
    when: "a backend's breaker closed again",
  },
  SLOW_CLIENT: {
    type: "connection_error",
    component: "hub",
    severity: "warning",
    when: "a client could not be kept up to date and is being closed",
  },
  CLIENT_DISCONNECTED: {
    type: "connection_error",
    component: "client",
    severity: "warning",
    when: "another client vanished without a closing handshake",
  },
  JSON_MARSHAL_ERROR: {
    type: "error",
    component: "hub",
    severity: "error",
    when: "a value could not be encoded; its channel keeps the last good one",
  },
  CLUSTER_LOST: {
    type: "connection_error",
    component: "hub",
    severity: "warning",
    when:
      "the hub lost the stream that it shares with others; values are stale until it polls alone",
  },
  CLUSTER_RECOVERED: {
    type: "connection_error",
    component: "hub",
    severity: "warning",
    when: "the hub is back with the stream that it shares with others",
  },
  SERVER_SHUTDOWN: {
    type: "error",
    component: "server",
    severity: "critical",
    when: "the hub is going down",
  },
  BAD_MESSAGE: {
    type: "error",
    component: "hub",
    severity: "warning",
    when: "a client's message could not be understood",
  },
  UNKNOWN_CHANNEL: {
    type: "error",
    component: "hub",
    severity: "warning",
    when: "a client named a channel this hub does not have",
  },
  FORBIDDEN_CHANNEL: {
    type: "error",
    component: "hub",
    severity: "warning",
    when: "a client's token does not allow the channel",
  },
  RATE_LIMITED: {
    type: "error",
    component: "hub",
    severity: "warning",
    when: "a client sends more messages a second than allowed",
  },
} as const satisfies Record<string, ErrorClass>;

export type ErrorCode = keyof typeof ERRORS;

export const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[];

export interface ErrorEvent {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: string;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly component: Component;
  readonly severity: Severity;
  readonly data?: Readonly<Record<string, unknown>>;
}

export interface ErrorEventOptions {
  /** Unix seconds. */
  timestamp: number;
  details?: string;
  data?: Readonly<Record<string, unknown>>;
}

/**
 * Makes an error event; component and severity come from the table.
 *
 * @example
 * ```ts
 * errorEvent("RPC_FAILURE", "core did not answer", { timestamp: 1764000000 });
 * ```
 */
export function errorEvent(
  code: ErrorCode,
  message: string,
  options: ErrorEventOptions,
): ErrorEvent {
  const { component, severity } = ERRORS[code];
  const { timestamp, details, data } = options;
  return {
    code,
    message,
    ...(details === undefined ? {} : { details }),
    timestamp,
    component,
    severity,
    ...(data === undefined ? {} : { data }),
  };
}

/** The frame type a code travels under. A code that lives inside status frames has none: `error`. */
export function errorType(code: ErrorCode): ErrorType {
  const { type } = ERRORS[code];
  return type === "inside_status" ? "error" : type;
}
