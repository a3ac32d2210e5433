/**
 * What `holdfast serve` runs on without a file: this machine's own state, on loopback only. It is
 * checked by the same schema as any file.
 */
export const DEFAULT_CONFIG = {
  listen: "127.0.0.1:8787",
  backends: { host: { transport: "host" } },
  sources: [
    { channel: "system_status", backend: "host", method: "GetSystemStatus", every: "5s" },
    { channel: "storage_update", backend: "host", method: "GetStorage", every: "5s" },
  ],
} as const;

/** How the embedded default is called where a file's name would stand. */
export const DEFAULT_NAME = "the embedded default";
