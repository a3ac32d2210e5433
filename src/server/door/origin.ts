import type { ReadHeaders } from "../http/read_headers.ts";

/**
 * Whether a page of this origin may talk to the hub. Browsers send `Origin` and pages cannot forge
 * it; WebSockets are not bound by the same-origin policy, so the hub has to look (RFC 6455
 * section 10.2). No `Origin` at all means that no browser is asking.
 *
 * @param allowed Origins allowed besides the hub's own; empty: the hub's own only.
 */
export function isOriginAllowed(headers: ReadHeaders, allowed: readonly string[]): boolean {
  const origin = headers.get("origin");
  if (origin === null) return true;
  if (allowed.includes(origin)) return true;
  const host = headers.get("host");
  if (host === null || !URL.canParse(origin)) return false;
  const { host: ofOrigin } = new URL(origin);
  // Schemes without hosts would all be of the same, empty one.
  return ofOrigin !== "" && ofOrigin === hostOf(host, origin);
}

/** The `Host` header as a URL of the origin's scheme would have it: without a default port. */
function hostOf(host: string, origin: string): string | undefined {
  const url = `${origin.split("://", 1)[0]}://${host}`;
  return URL.canParse(url) ? new URL(url).host : undefined;
}
