import type { ErrorEvent } from "../protocol/error_event.ts";
import type { Frame, HeartbeatData, NotificationData, WelcomeData } from "../protocol/message.ts";
import type { ChannelState } from "./channel_states.ts";
import type { StopCode } from "./next_step.ts";

/** Where the client stands; no field outlives the state it belongs to. */
export type ConnectionState =
  /** Opening a connection; `attempt` counts from 1 since the last one that was open. */
  | { readonly kind: "connecting"; readonly attempt: number }
  /** Connected and welcomed. */
  | { readonly kind: "open"; readonly welcome: WelcomeData }
  /** Will connect again by itself. */
  | { readonly kind: "waiting"; readonly reason: string; readonly waitMs: number }
  /** Will not connect again until `reconnect()` is called: to go on as before would be of no use. */
  | { readonly kind: "stopped"; readonly code: StopCode; readonly reason: string }
  /** `close()` was called. */
  | { readonly kind: "closed" };

/** Events were missed and could not be replayed. */
export interface Gap {
  /** The last position that was had, in `epoch`. */
  readonly since: number;
  readonly epoch: string;
  /** Whether the hub began a new life meanwhile. */
  readonly isNewEpoch: boolean;
}

/** The state of one of the channels of `Values`; to compare its `channel` tells its value's type. */
export type NamedState<Values extends object> = {
  [Channel in keyof Values & string]: ChannelState<Values[Channel], Channel>;
}[keyof Values & string];

/** The client's events, and what their listeners are given. */
export interface ClientEvents<Values extends object = Record<string, unknown>> {
  /** The connection's state changed. */
  state: ConnectionState;
  /** A connection was opened. */
  welcome: WelcomeData;
  /** After a reconnection: something was missed for good. */
  gap: Gap;
  /** A status channel got a value, or its value turned stale, or the reason why changed. */
  status: NamedState<Values>;
  notification: NotificationData;
  /** An error, of any of the three types; those meant for this client come whatever was asked. */
  error: ErrorEvent;
  heartbeat: HeartbeatData;
  /** Any frame shown to the user, as it came. */
  frame: Frame;
}

/** Event channels, and what comes on them. */
export interface EventChannels {
  notification: NotificationData;
  /** All three error types. */
  error: ErrorEvent;
  rpc_error: ErrorEvent;
  connection_error: ErrorEvent;
  heartbeat: HeartbeatData;
}

/** The client has stopped, so nothing more will come until `reconnect()` is called. */
export class ClientStoppedError extends Error {
  override readonly name = "ClientStoppedError";
  readonly code: StopCode;

  constructor(code: StopCode, reason: string) {
    super(`The client has stopped: ${reason}`);
    this.code = code;
  }
}
