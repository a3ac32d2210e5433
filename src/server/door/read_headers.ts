/** The headers of a request that the hub looks at. */
const NAMES = [
  "authorization",
  "host",
  "last-event-id",
  "origin",
  "sec-websocket-key",
  "sec-websocket-protocol",
  "sec-websocket-version",
  "upgrade",
  "x-forwarded-for",
  "x-forwarded-proto",
] as const;

/** The headers the hub looks at; any `Headers` will do as well. */
export interface ReadHeaders {
  /** The header's value; null if there is none. */
  get(name: typeof NAMES[number]): string | null;
}

/**
 * Takes what the hub looks at out of a request's headers: an upgrade closes the request, and its
 * headers with it. To copy all of them would do, too, but the runtime then keeps a second list of
 * them with the request, and that with the connection, for as long as it lives.
 */
export function readHeaders(headers: Headers): ReadHeaders {
  const values = new Map<string, string>();
  for (const name of NAMES) {
    const value = headers.get(name);
    if (value !== null) values.set(name, value);
  }
  return { get: (name) => values.get(name) ?? null };
}
