/** The channels of a hub without sources, as the contract lists them. */
export const CHANNELS_OF_A_HUB: ReadonlySet<string> = new Set([
  "system_status",
  "storage_update",
  "agent_status",
  "compression_update",
  "notification",
  "error",
  "rpc_error",
  "connection_error",
  "heartbeat",
]);
