/**
 * The Holdfast client: one module without dependencies for browsers, Deno and Node.
 *
 * @example
 * ```ts
 * await using client = new HoldfastClient("https://hub.example.com");
 * for await (const state of client.watch("system_status")) show(state);
 * ```
 *
 * @module
 */
export { HoldfastClient } from "./client.ts";
export type { EventsOptions, ReconnectOptions } from "./client.ts";
export type {
  ChannelState,
  LiveChannel,
  NeverSeenChannel,
  StaleChannel,
} from "./channel_states.ts";
export type { ChannelStore } from "./channel_store.ts";
export { HUB_UNREACHABLE } from "./channel_states.ts";
export type { ListenOptions } from "./emitter.ts";
export { ClientStoppedError } from "./events.ts";
export type { ClientEvents, ConnectionState, EventChannels, Gap, NamedState } from "./events.ts";
export type { EventQueue } from "./event_queue.ts";
export { MAX_WAITING_EVENTS } from "./event_queue.ts";
export type { StopCode } from "./next_step.ts";
export type { ClientOptions, TokenSource } from "./options.ts";
export type { SocketConstructor, SocketLike } from "./socket.ts";
export type { ClientClock } from "./time.ts";
export type { WakeUps } from "./wake_ups.ts";
export type { ErrorCode, ErrorEvent } from "../protocol/error_event.ts";
export type { Frame, HeartbeatData, NotificationData, WelcomeData } from "../protocol/message.ts";
export type { StatusData } from "../protocol/status_data.ts";
