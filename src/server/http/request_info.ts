import { type ReadHeaders, readHeaders } from "./read_headers.ts";

/** What is known of a request, read once: after an upgrade the request itself can no longer be asked. */
export interface RequestInfo {
  readonly method: string;
  /** Where the request went, as its sender put it. */
  readonly url: URL;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: ReadHeaders;
  /** The client as limits and logs know it: behind a trusted proxy, what the proxy says. */
  readonly clientAddress: string;
  /** The other end of the connection itself. */
  readonly peer: { readonly hostname: string; readonly port: number };
}

export interface ReadRequestInfoOptions {
  /** Take the client's address from `X-Forwarded-For`. */
  trustProxy: boolean;
}

/** Reads what a request says. Call it first thing: it depends on nothing else. */
export function readRequestInfo(
  request: Request,
  info: Deno.ServeHandlerInfo,
  options: ReadRequestInfoOptions,
): RequestInfo {
  const url = new URL(request.url);
  const remote = info.remoteAddr;
  const peer = "hostname" in remote
    ? { hostname: remote.hostname, port: remote.port }
    : { hostname: "local", port: 0 };
  const headers = readHeaders(request.headers);
  return {
    method: request.method,
    url,
    path: url.pathname,
    query: url.searchParams,
    headers,
    clientAddress: (options.trustProxy ? forwardedFor(headers) : undefined) ?? peer.hostname,
    peer,
  };
}

/**
 * The address nearest to us in `X-Forwarded-For`: the one our own proxy saw and appended. The ones
 * before it are whatever the client cared to send.
 */
function forwardedFor(headers: ReadHeaders): string | undefined {
  const last = headers.get("x-forwarded-for")?.split(",").at(-1)?.trim();
  return last ? last : undefined;
}
