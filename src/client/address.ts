/** Where a hub's doors are, and how a token goes through the WebSocket one. */
export interface HubAddress {
  /** `ws:` or `wss:`, without a query. */
  readonly socket: string;
  /** The same door for plain HTTP requests. */
  readonly door: string;
  /** The latest values, behind the same authentication. */
  readonly snapshot: string;
}

/**
 * Reads a hub's URL: `http:`, `https:`, `ws:` or `wss:`, with or without `/ws` at the end of its
 * path. In a browser it may be relative to the page.
 *
 * @throws {RangeError} If it is not such a URL, or holds credentials, a query or a fragment.
 */
export function hubAddress(url: string | URL): HubAddress {
  const { location } = globalThis as { location?: { href: string } };
  let parsed: URL;
  try {
    parsed = new URL(url, location?.href);
  } catch {
    throw new RangeError(
      'Cannot connect as the URL cannot be parsed: give one such as "https://hub.example.com"',
    );
  }
  const scheme = /^(?:http|ws)(s?):$/.exec(parsed.protocol);
  if (scheme === null) {
    throw new RangeError(
      `Cannot connect as the URL's scheme must be http, https, ws or wss: it is "${parsed.protocol}"`,
    );
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw new RangeError("Cannot connect as the URL holds credentials: give 'token' as an option");
  }
  if (parsed.search !== "" || parsed.hash !== "") {
    throw new RangeError(
      "Cannot connect as the URL has a query or a fragment: give 'channels' and 'token' as options",
    );
  }
  const base = `${parsed.host}${parsed.pathname.replace(/\/(?:ws\/?)?$/, "")}`;
  const [, secure = ""] = scheme;
  return {
    socket: `ws${secure}://${base}/ws`,
    door: `http${secure}://${base}/ws`,
    snapshot: `http${secure}://${base}/snapshot`,
  };
}

/**
 * The subprotocols to offer. The token travels as one of them, which works in browsers too and,
 * unlike a query, gets into nobody's log of URLs.
 */
export function protocolsFor(token: string | undefined): string[] {
  if (token === undefined) return []; // offering one that is not taken up would fail in browsers
  const bytes = new TextEncoder().encode(token);
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  const base64url = base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return ["holdfast", `holdfast.token.${base64url}`];
}
