import type { Hub } from "../../hub/hub.ts";
import type { AdmittedPlace } from "../door/admission.ts";
import { readClientQuery } from "./client_query.ts";
import { SseTransport } from "./sse_transport.ts";
import type { RequestInfo } from "./request_info.ts";
import type { Identity } from "../door/identity.ts";
import type { Visitor, Visitors } from "../door/visitors.ts";

export interface SseRouteOptions {
  hub: Pick<Hub, "disconnected" | "epoch">;
  visitors: Pick<Visitors, "enter">;
  info: RequestInfo;
  identity: Identity;
  /** The client's place, given back when its stream has ended. */
  place: AdmittedPlace;
  keepAliveMs: number;
  /** How long a closed client gets to go, in milliseconds. */
  lingerMs: number;
  /** Ends the connection itself, if nobody else uses it. */
  abort: () => void;
  /** Bytes the peer has acknowledged in the connection's life; `undefined` if that is not known. */
  takenBytes: () => number | undefined;
}

/** A client comes back by itself after a time of its own in this range, in milliseconds. */
const RETRY_MS = { min: 1000, max: 5000 };

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  // The runtime would compress, and in doing so hold events back.
  "cache-control": "no-store, no-transform",
  "x-accel-buffering": "no",
  "x-content-type-options": "nosniff",
};

/** Makes a request a stream of server-sent events and a client of the hub. */
export function openEventStream(options: SseRouteOptions): Response {
  const { hub, visitors, info, identity, place, keepAliveMs, lingerMs, abort, takenBytes } =
    options;
  if (info.method === "HEAD") { // who asks for the headers alone is no client
    place[Symbol.dispose]();
    return new Response(null, { headers: HEADERS });
  }
  let visitor: Visitor | undefined = undefined;
  const transport = new SseTransport({
    epoch: () => hub.epoch,
    keepAliveMs,
    lingerMs,
    abort,
    takenBytes,
    retryMs: Math.round(RETRY_MS.min + Math.random() * (RETRY_MS.max - RETRY_MS.min)),
    onEnd: () => {
      place[Symbol.dispose]();
      visitor?.[Symbol.dispose]();
      // Event streams know no closing handshake: to go is to close the connection.
      if (visitor) hub.disconnected(visitor.session, { clean: true, code: 0 });
    },
  });
  const { batch: _batch, ...wishes } = readClientQuery(info);
  visitor = visitors.enter(transport, identity, wishes);
  return new Response(transport.body, { headers: HEADERS });
}
