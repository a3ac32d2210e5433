import type { HubConfig } from "../config/schema.ts";
import type { HubOptions } from "../hub/hub_options.ts";

/** The part of a hub's options that its configuration decides. */
export function hubOptions(
  config: HubConfig,
): Pick<HubOptions, "limits" | "history" | "heartbeatMs"> {
  return {
    limits: {
      outboxMessages: config.outbox_messages,
      highWaterBytes: config.high_water_bytes,
      maxMessageBytes: config.max_message_bytes,
      messagesPerSecond: config.messages_per_second,
      stallTimeoutMs: config.stall_timeout,
      maxBufferedBytes: config.max_buffered_bytes,
    },
    history: { maxFrames: config.history_messages, maxAgeMs: config.history_for },
    heartbeatMs: config.heartbeat_every,
  };
}
