import type { ReadHeaders } from "./read_headers.ts";

/** The WebSocket subprotocol clients may name; tokens travel beside it. */
export const SUBPROTOCOL = "holdfast";
const TOKEN_PREFIX = `${SUBPROTOCOL}.token.`;

/**
 * The token a request carries: `Authorization: Bearer …`, else the subprotocol
 * `holdfast.token.<base64url>` (for browsers, whose WebSockets can send no headers), else the
 * query's `token`. Undefined if there is none.
 */
export function tokenOf(headers: ReadHeaders, query: URLSearchParams): string | undefined {
  const [, bearer] = /^Bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "") ?? [];
  return bearer ?? tokenInProtocols(headers) ?? query.get("token") ?? undefined;
}

function tokenInProtocols(headers: ReadHeaders): string | undefined {
  for (const each of (headers.get("sec-websocket-protocol") ?? "").split(",")) {
    const protocol = each.trim();
    if (protocol.startsWith(TOKEN_PREFIX)) {
      return fromBase64Url(protocol.slice(TOKEN_PREFIX.length));
    }
  }
  return undefined;
}

/** Undefined if the text is not base64url of UTF-8: then it is no token, and the door says so. */
function fromBase64Url(text: string): string | undefined {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
