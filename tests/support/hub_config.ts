/** Paces at which a test need not wait long: a poll takes 100 ms, an opened breaker stays open. */
export function quickBackend(url: string, changes: object = {}): object {
  return {
    transport: "json-rpc",
    url,
    timeout: "400ms",
    retry: { attempts: 1 },
    breaker: { failures: 3, open_for: "1m" },
    health_check: { method: "GetSystemStatus", every: "200ms", timeout: "300ms" },
    max_response_bytes: 16 * 1024 * 1024,
    ...changes,
  };
}

/** A source that polls ten times a second. */
export function quickSource(channel: string, backend: string, changes: object = {}): object {
  return { channel, backend, method: "GetSystemStatus", every: "100ms", ...changes };
}
