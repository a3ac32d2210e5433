import type { HubAddress } from "./address.ts";
import { type ClientClock, pause } from "./time.ts";

/**
 * What a plain HTTP request learned about a door that did not let a WebSocket in. A WebSocket
 * cannot tell: runtimes hide the status of a failed handshake.
 */
export type RefusalProbe =
  /** No answer: the hub is down, or (in a browser) another origin that does not say. */
  | { readonly kind: "unreachable"; readonly why?: string }
  /** An answer that explains nothing: most likely the door has opened meanwhile. */
  | { readonly kind: "unexplained"; readonly status: number }
  | { readonly kind: "shut"; readonly status: 401 | 403 }
  | { readonly kind: "busy"; readonly status: 429 | 503; readonly retryAfterMs?: number };

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface RefusalProbeOptions {
  fetch: Fetch;
  /** Why a request got no answer, where that can be told. */
  explainFailure?: (error: unknown) => string | undefined;
  token: string | undefined;
  clock: ClientClock;
  /** Ends the asking, as if the door had not answered. */
  signal: AbortSignal;
}

/** The most one look at the door may take, in milliseconds. */
const DOOR_TIMEOUT_MS = 5000;

/**
 * Asks by plain HTTP why the door did not open: first the WebSocket's own path, where a hub
 * refuses for the same reasons, then the snapshot, which asks for the same token. Never throws.
 */
export async function probeRefusal(
  address: HubAddress,
  options: RefusalProbeOptions,
): Promise<RefusalProbe> {
  const { fetch, token, clock, signal } = options;
  const asking = new AbortController();
  const stop = () => asking.abort();
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  const timeout = pause(clock, DOOR_TIMEOUT_MS, asking.signal).then(stop);
  const headers: Record<string, string> = token === undefined
    ? {}
    : { authorization: `Bearer ${token}` };
  try {
    let door: RefusalProbe = { kind: "unreachable" };
    for (const url of [address.door, address.snapshot]) {
      const response = await fetch(url, {
        headers,
        signal: asking.signal,
        redirect: "manual",
        cache: "no-store",
      });
      await response.body?.cancel();
      door = read(response, clock);
      if (door.kind !== "unexplained") break;
    }
    return door;
  } catch (error) {
    const why = asking.signal.aborted ? undefined : explained(error, options);
    return { kind: "unreachable", ...(why === undefined ? {} : { why }) };
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
    await timeout;
  }
}

/** The explanation is the user's own code, whose faults must not become this client's. */
function explained(error: unknown, { explainFailure }: RefusalProbeOptions): string | undefined {
  try {
    return explainFailure?.(error);
  } catch {
    return undefined;
  }
}

function read(response: Response, clock: ClientClock): RefusalProbe {
  const { status, headers } = response;
  switch (status) {
    case 401:
    case 403:
      return { kind: "shut", status };
    case 429:
    case 503: {
      const retryAfterMs = parseRetryAfter(headers.get("retry-after"), clock.unixSeconds());
      return { kind: "busy", status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
    }
    default:
      return { kind: "unexplained", status };
  }
}

/** Seconds or an HTTP date (RFC 9110 section 10.2.3), as milliseconds from now. */
export function parseRetryAfter(value: string | null, unixSeconds: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - unixSeconds * 1000);
}
