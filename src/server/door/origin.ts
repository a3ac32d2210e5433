import type { ReadHeaders } from "./read_headers.ts";

/** A request as far as its origin goes. */
export interface AddressedRequest {
  readonly headers: Pick<ReadHeaders, "get">;
  /** `host` or `host:port` under which the hub was asked. */
  readonly host: string;
  /** How the client reached the hub; undefined where only a proxy knows, and does not say. */
  readonly scheme: "http" | "https" | undefined;
}

/**
 * Whether a page of this origin may talk to the hub. Browsers send `Origin` and pages cannot forge
 * it; WebSockets are not bound by the same-origin policy, so the hub has to look (RFC 6455
 * section 10.2). No `Origin` at all means that no browser is asking.
 *
 * @param allowed Origins allowed besides the hub's own; empty: the hub's own only.
 */
export function isOriginAllowed(request: AddressedRequest, allowed: readonly string[]): boolean {
  const origin = request.headers.get("origin");
  if (origin === null || allowed.includes(origin)) return true;
  const { host, scheme } = request;
  const [, ofOrigin] = /^(https?):\/\/[^/?#\\@\s]+$/.exec(origin) ?? [];
  if (ofOrigin === undefined || ofOrigin !== (scheme ?? ofOrigin)) return false;
  const page = URL.parse(origin);
  // Both in the form of the origin's scheme: without its default port.
  return page !== null && page.host === URL.parse(`${ofOrigin}://${host}`)?.host;
}
