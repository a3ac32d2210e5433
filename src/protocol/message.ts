import type { ErrorCode, ErrorEvent, ErrorType } from "./error_event.ts";
import type { StatusData } from "./status_data.ts";

/** Frame types with a meaning of their own; every other type is the name of a status channel. */
export const MESSAGE_TYPES = [
  "welcome",
  "notification",
  "error",
  "rpc_error",
  "connection_error",
  "heartbeat",
  "pong",
  "subscribed",
] as const;

/** A frame's `type`: one of the fixed ones, or a status channel's name. */
export type MessageType = typeof MESSAGE_TYPES[number] | (string & Record<never, never>);

/** First frame of every connection. */
export interface WelcomeData {
  /** This client's id; names it in logs and in other clients' `connection_error`s, and resumes. */
  readonly session: string;
  /** Names the hub's life in which `seq` counts. */
  readonly epoch: string;
  /** The newest broadcast before this frame; where the client had been, if what it missed follows. */
  readonly seq: number;
  /** What the client is subscribed to. */
  readonly channels: readonly string[];
  readonly heartbeat_ms: number;
  /** Everything since the last connection was replayed. */
  readonly recovered: boolean;
  /** Something may have been missed and could not be replayed. */
  readonly gap: boolean;
  /** How the resumed session's connection ended, where the hub ended it. */
  readonly previous_close?: ErrorCode;
}

export interface HeartbeatData {
  /** Unix seconds. */
  readonly timestamp: number;
  readonly clients_connected: number;
  /** Clients of all hubs of the cluster together; absent for a hub by itself. */
  readonly cluster_clients_connected?: number;
}

export interface NotificationData {
  readonly title: string;
  readonly body?: string;
  readonly level?: string;
  readonly [key: string]: unknown;
}

interface FrameOf<Type extends string, Data> {
  readonly type: Type;
  /** Unix seconds. */
  readonly timestamp: number;
  /** Position among the broadcasts of the hub's life; absent on frames for one client alone. */
  readonly seq?: number;
  readonly data: Data;
}

export type WelcomeFrame = FrameOf<"welcome", WelcomeData>;
export type HeartbeatFrame = FrameOf<"heartbeat", HeartbeatData>;
export type NotificationFrame = FrameOf<"notification", NotificationData>;
export type ErrorFrame = FrameOf<ErrorType, ErrorEvent>;
export type PongFrame = FrameOf<"pong", { readonly id?: string | number }>;
export type SubscribedFrame = FrameOf<"subscribed", { readonly channels: readonly string[] }>;
export type StatusFrame<T = unknown> = FrameOf<string, StatusData<T>>;

/** Any frame a server sends. */
export type Frame =
  | WelcomeFrame
  | HeartbeatFrame
  | NotificationFrame
  | ErrorFrame
  | PongFrame
  | SubscribedFrame
  | StatusFrame;

/** Any message a client may send. */
export type ClientMessage =
  | { readonly type: "subscribe"; readonly channels: readonly string[] }
  | { readonly type: "unsubscribe"; readonly channels: readonly string[] }
  | { readonly type: "ping"; readonly id?: string | number };
