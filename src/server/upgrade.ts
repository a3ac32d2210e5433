// @ts-types="../std_types/status.d.ts"
import { STATUS_CODE } from "@std/http/status";
import type { Hub } from "../hub/hub.ts";
import { CLOSE } from "../protocol/close_code.ts";
import type { Session } from "../hub/session.ts";
import type { Clock } from "../resilience/clock.ts";
import { logOf } from "../telemetry/log.ts";
import type { Place } from "./admission.ts";
import { readClientQuery } from "./client_query.ts";
import { onExpiry } from "./expiry.ts";
import type { RequestFacts } from "./facts.ts";
import type { Identity } from "./identity.ts";
import type { Watched } from "./inbound_guard.ts";
import { refuse, wrongMethod } from "./reply.ts";
import { SUBPROTOCOL } from "./subprotocol.ts";
import { WebSocketTransport } from "./web_socket_transport.ts";

export interface UpgradeOptions {
  clock: Clock;
  hub: Hub;
  facts: RequestFacts;
  identity: Identity;
  /** The client's place, given back when its connection has ended or never came to be. */
  place: Place;
  /** Time between pings to a silent client, in milliseconds; 0: never. */
  pingEveryMs: number;
  /** How long a closed client gets to go, in milliseconds. */
  lingerMs: number;
  /** Ends the connection itself. */
  abort: () => void;
  /** Aborted when the hub stops. */
  signal: AbortSignal;
  /** Watches what comes in; `end` is called if the client sends without an end. */
  watch: (end: (bytes: number) => void) => Watched;
}

/**
 * How long a connection may take to open once its request was answered, in milliseconds. Of a client
 * that is gone by then the runtime says nothing at all.
 */
const OPEN_WITHIN_MS = 10_000;

/** Codes of a close that may as well be the runtime's: no code given, going away. */
const NOT_THE_CLIENTS_OWN: ReadonlySet<number> = new Set([1001, 1005]);

/** Why a request cannot become a WebSocket; undefined if it can. */
function refuseUpgrade({ method, headers }: RequestFacts): Response | undefined {
  if (method !== "GET") return wrongMethod(method, "GET");
  if (headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return refuse(
      STATUS_CODE.UpgradeRequired,
      "this is a WebSocket: connect with ws:// or wss://",
      {
        upgrade: "websocket",
        connection: "upgrade",
      },
    );
  }
  // RFC 6455 section 4.4: name the version that would do.
  if (headers.get("sec-websocket-version") !== "13") {
    return refuse(STATUS_CODE.UpgradeRequired, "only WebSocket version 13 is spoken here", {
      "sec-websocket-version": "13",
    });
  }
  return undefined;
}

/** Makes a request a WebSocket and, once that is open, a client of the hub. */
export function upgrade(request: Request, options: UpgradeOptions): Response {
  const { clock, hub, facts, identity, place, pingEveryMs, lingerMs, abort, signal, watch } =
    options;
  const refusal = refuseUpgrade(facts);
  if (refusal) {
    place[Symbol.dispose]();
    return refusal;
  }
  const wishes = readClientQuery(facts);
  const offered = facts.headers.get("sec-websocket-protocol")?.split(",")
    .map((each) => each.trim());
  if (offered) spaceOut(request, offered);
  let socket: WebSocket;
  let response: Response;
  try {
    ({ socket, response } = Deno.upgradeWebSocket(request, {
      // The runtime pings at half of this and gives up at the whole.
      idleTimeout: Math.ceil(2 * pingEveryMs / 1000),
      ...(offered?.includes(SUBPROTOCOL) ? { protocol: SUBPROTOCOL } : {}),
    }));
  } catch {
    place[Symbol.dispose]();
    return refuse(STATUS_CODE.BadRequest, "the WebSocket handshake is incomplete (RFC 6455, 4.1)");
  }
  // Sized in bytes without a detour over a Blob.
  socket.binaryType = "arraybuffer";
  const transport = new WebSocketTransport(socket, { lingerMs, abort });
  let session: Session | undefined;
  const watched = watch((bytes) => {
    logOf("server").warning("client.endless_message", {
      client_id: session?.id,
      address: facts.clientAddress,
      code: "BAD_MESSAGE",
      bytes,
    });
    if (session) hub.expel(session, "tooBig");
    abort();
  });
  const held = new DisposableStack();
  for (const each of [place, watched, transport]) held.use(each);
  const opened = new AbortController();
  clock.sleep(OPEN_WITHIN_MS, { signal: AbortSignal.any([opened.signal, signal]) })
    .then(() => held.dispose(), () => {}); // it opened, or the hub stops
  socket.onopen = () => {
    opened.abort();
    if (held.disposed) { // too late: its place may be somebody else's by now
      socket.close(CLOSE.slowClient.code, CLOSE.slowClient.reason);
      return;
    }
    const client = hub.connect(transport, { ...wishes, mayRead: identity.mayRead });
    session = client;
    held.use(onExpiry(identity.expiresAt, () => hub.expel(client, "expired")));
  };
  socket.onmessage = ({ data }) => {
    transport.received();
    if (typeof data === "string") {
      watched.delivered(data.length);
      session?.receive(data, clock.now());
    } else if (data instanceof ArrayBuffer) {
      watched.delivered(data.byteLength);
      session?.receiveBinary(data.byteLength, clock.now());
    }
  };
  // Whose end was told as clean, but without a code of the client's own. Where a ping goes
  // unanswered behind full buffers, the runtime reports its close as a clean one first, and the
  // error after it.
  let endedCleanly: Session | undefined;
  // Details of a protocol error, if it was one; the close that follows is what counts.
  socket.onerror = (event) => {
    const why = event instanceof ErrorEvent ? event.message : "connection error";
    logOf("server").debug("client.connection_error", { client_id: session?.id, why });
    if (endedCleanly) hub.wasLostAfterAll(endedCleanly, why);
    endedCleanly = undefined;
  };
  // It may come twice (an idle timeout does that): everything below bears it.
  socket.onclose = ({ wasClean, code }) => {
    opened.abort();
    held.dispose();
    if (session === undefined || session.hasEnded) return;
    if (wasClean && NOT_THE_CLIENTS_OWN.has(code)) endedCleanly = session;
    hub.disconnected(session, { clean: wasClean, code });
  };
  return response;
}

/**
 * Rewrites the list of subprotocols with a space behind each comma: RFC 6455 (section 4.1) makes
 * the space optional and some clients leave it out, but the runtime splits the list only with it.
 */
function spaceOut(request: Request, offered: readonly string[]): void {
  const headers = new Headers(request.headers);
  headers.set("sec-websocket-protocol", offered.join(", "));
  // A copied request could not be upgraded any more.
  Object.defineProperty(request, "headers", { value: headers });
}
