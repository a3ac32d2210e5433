import { parseClientAddress } from "../door/client_address.ts";
import { isAuthority } from "../door/host.ts";
import { type ReadHeaders, readHeaders } from "../door/read_headers.ts";

/** What is known of a request, read once: after an upgrade the request itself can no longer be asked. */
export interface RequestInfo {
  readonly method: string;
  /** `host` or `host:port` under which the hub was asked. */
  readonly host: string;
  /** How the client reached the hub; undefined where only a proxy knows, and does not say. */
  readonly scheme: "http" | "https" | undefined;
  /** The path of the request's target as it stands: nothing is decoded, no `..` is followed. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: ReadHeaders;
  /** The client as logs know it: behind a trusted proxy, what the proxy says. */
  readonly clientAddress: string;
  /** What limits count it under: an IPv6 address counts with all of its /64. */
  readonly clientGroup: string;
  /** The other end of the connection itself. */
  readonly peer: { readonly hostname: string; readonly port: number };
}

export interface ReadRequestInfoOptions {
  /** Take the client's address and scheme from `X-Forwarded-For` and `X-Forwarded-Proto`. */
  trustProxy: boolean;
  /**
   * Whether this peer's connection speaks HTTP/2: there a request has its name in the URL, where
   * one of HTTP/1 without `Host` gets a name from the runtime.
   */
  isHttp2: (peer: { readonly hostname: string; readonly port: number }) => boolean;
}

/** Why a request cannot be read. */
export type Unreadable = "bad_host";

/**
 * Reads what a request says. Call it first thing: it depends on nothing else.
 *
 * The runtime makes a request's URL by putting `Host` and the target together as texts, so a `Host`
 * such as `x/metrics?` would decide the path. Only one that is `host` or `host:port` is taken, and
 * what follows it is the target alone.
 */
export function readRequestInfo(
  request: Request,
  info: Deno.ServeHandlerInfo,
  options: ReadRequestInfoOptions,
): RequestInfo | Unreadable {
  const headers = readHeaders(request.headers);
  const named = headers.get("host");
  const [, ofConnection, authority = "", target = ""] =
    /^(https?):\/\/([^/?#\\]*)([^]*)$/.exec(request.url) ?? [];
  const remote = info.remoteAddr;
  const peer = "hostname" in remote
    ? { hostname: remote.hostname, port: remote.port }
    : { hostname: "local", port: 0 };
  const { trustProxy, isHttp2 } = options;
  // Over TLS the two cannot be told apart, and HTTP/2 is the rule.
  if (named === null ? ofConnection === "http" && !isHttp2(peer) : !isAuthority(named)) {
    return "bad_host";
  }
  if (!isAuthority(authority)) return "bad_host";
  const mark = target.indexOf("?");
  const forwarded = trustProxy ? lastOf(headers.get("x-forwarded-for")) : undefined;
  const client = (forwarded === undefined ? undefined : parseClientAddress(forwarded)) ??
    parseClientAddress(peer.hostname) ?? { address: peer.hostname, group: peer.hostname };
  return {
    method: request.method,
    host: authority,
    scheme: trustProxy
      ? schemeOf(lastOf(headers.get("x-forwarded-proto")))
      : schemeOf(ofConnection),
    path: mark < 0 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1)),
    headers,
    clientAddress: client.address,
    clientGroup: client.group,
    peer,
  };
}

/**
 * The last part of a list: what our own proxy saw and appended. The ones before it are whatever
 * the client cared to send.
 */
function lastOf(list: string | null): string | undefined {
  return list?.split(",").at(-1)?.trim();
}

function schemeOf(text: string | undefined): "http" | "https" | undefined {
  const scheme = text?.toLowerCase();
  if (scheme === "https" || scheme === "wss") return "https";
  return scheme === "http" || scheme === "ws" ? "http" : undefined;
}
