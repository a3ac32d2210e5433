// @ts-types="../../std_types/status.d.ts"
import { STATUS_CODE } from "@std/http/status";
import type { AdmittedPlace } from "../door/admission.ts";
import { readClientQuery } from "./client_query.ts";
import type { RequestInfo } from "./request_info.ts";
import type { Identity } from "../door/identity.ts";
import { refuse, wrongMethod } from "./reply.ts";
import { SUBPROTOCOL } from "../door/token.ts";
import { WebSocketConnection, type WebSocketContext } from "../sockets/web_socket_connection.ts";

export interface UpgradeOptions {
  context: WebSocketContext;
  info: RequestInfo;
  identity: Identity;
  /** The client's place, given back when its connection has ended or never came to be. */
  place: AdmittedPlace;
}

/** Why a request cannot become a WebSocket; undefined if it can. */
function refuseUpgrade({ method, headers }: RequestInfo): Response | undefined {
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
  if (!KEY.test(headers.get("sec-websocket-key") ?? "")) {
    return refuse(
      STATUS_CODE.BadRequest,
      "a WebSocket handshake has one Sec-WebSocket-Key: 16 bytes in base64 (RFC 6455, 4.1)",
    );
  }
  return undefined;
}

/** Sixteen bytes in base64; two headers of the name are one value with a comma, which does not fit. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;

/** Makes a request a WebSocket and, once that is open, a client of the hub. */
export function upgrade(request: Request, options: UpgradeOptions): Response {
  const { context, info, identity, place } = options;
  const refusal = refuseUpgrade(info);
  if (refusal) {
    place[Symbol.dispose]();
    return refusal;
  }
  const wishes = readClientQuery(info);
  const offered = info.headers.get("sec-websocket-protocol")?.split(",")
    .map((each) => each.trim());
  if (offered) spaceOut(request, offered);
  let socket: WebSocket;
  let response: Response;
  try {
    ({ socket, response } = Deno.upgradeWebSocket(request, {
      // The runtime pings at half of this and gives up at the whole.
      idleTimeout: Math.ceil(2 * context.pingEveryMs / 1000),
      ...(offered?.includes(SUBPROTOCOL) ? { protocol: SUBPROTOCOL } : {}),
    }));
  } catch {
    place[Symbol.dispose]();
    return refuse(STATUS_CODE.BadRequest, "the WebSocket handshake is incomplete (RFC 6455, 4.1)");
  }
  // Sized in bytes without a detour over a Blob.
  socket.binaryType = "arraybuffer";
  // The runtime holds on to it as its events' listener.
  new WebSocketConnection({ context, socket, peer: info.peer, identity, wishes, place });
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
