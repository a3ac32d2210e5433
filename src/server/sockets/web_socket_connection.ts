import type { ConnectOptions } from "../../hub/connects.ts";
import type { Hub } from "../../hub/hub.ts";
import type { Session } from "../../hub/session.ts";
import type { SocketAddress } from "../../platform/socket_address.ts";
import { CLOSE } from "../../protocol/close_code.ts";
import type { Clock } from "../../resilience/clock.ts";
import { logOf } from "../../telemetry/log.ts";
import type { AdmittedPlace } from "../door/admission.ts";
import type { Abortable, Connections } from "./connections.ts";
import type { Identity } from "../door/identity.ts";
import type { Visitor, Visitors } from "../door/visitors.ts";
import type { EndlessSender, Watched } from "./fragment_guard.ts";
import type { PendingUpgrade, PendingUpgrades } from "./pending_upgrades.ts";
import type { Sockets } from "./sockets.ts";
import { WebSocketTransport } from "./web_socket_transport.ts";

const encoder = new TextEncoder();

/** What all WebSockets of a hub have in common. */
export interface WebSocketContext {
  readonly clock: Clock;
  readonly hub: Hub;
  readonly visitors: Pick<Visitors, "enter">;
  /** Counts the connections there are. */
  readonly connections: Connections;
  readonly pendingUpgrades: PendingUpgrades;
  readonly sockets: Pick<Sockets, "table" | "inbound" | "abort" | "takenBytes" | "receivedBytes">;
  /** Time between pings to a silent client, in milliseconds; 0: never. */
  readonly pingEveryMs: number;
  /** How long a closed client gets to go, in milliseconds. */
  readonly lingerMs: number;
}

export interface WebSocketConnectionOptions {
  context: WebSocketContext;
  socket: WebSocket;
  peer: SocketAddress;
  identity: Identity;
  /** What the client asked for. */
  wishes: ConnectOptions;
  /** The client's place, given back when its connection has ended or never came to be. */
  place: AdmittedPlace;
}

const EVENTS = ["open", "message", "error", "close"] as const;

/** Codes of a close that may as well be the runtime's: no code given, going away. */
const NOT_THE_CLIENTS_OWN: ReadonlySet<number> = new Set([1001, 1005]);

/**
 * One WebSocket from the answer to its request until it is gone: once open, a client of the hub.
 *
 * It implements the interfaces of all that call it itself: of ten thousand connections most are idle,
 * and a closure for each callback would cost more memory than all else they keep.
 */
export class WebSocketConnection
  implements EventListenerObject, Abortable, PendingUpgrade, EndlessSender {
  readonly #context: WebSocketContext;
  readonly #socket: WebSocket;
  readonly #peer: SocketAddress;
  readonly #place: AdmittedPlace;
  readonly #transport: WebSocketTransport;
  readonly #watched: Watched;
  readonly #use: Disposable;
  readonly #identity: Identity;
  /** Until it has opened. */
  #wishes: ConnectOptions | undefined;
  #visitor: Visitor | undefined;
  #isGone = false;
  /**
   * Its end was told as clean, but without a code of the client's own. Where a ping goes unanswered
   * behind full buffers, the runtime reports its close as a clean one first, and the error after it.
   */
  #seemedClean = false;

  constructor(options: WebSocketConnectionOptions) {
    const { context, socket, peer, identity, wishes, place } = options;
    this.#context = context;
    this.#socket = socket;
    this.#peer = peer;
    this.#identity = identity;
    this.#wishes = wishes;
    this.#place = place;
    this.#transport = new WebSocketTransport(socket, this);
    const { table, inbound } = context.sockets;
    this.#use = table.client(peer);
    this.#watched = inbound.watch(peer, this, {
      // Of a connection that carried other requests before, what they came to is none of its own.
      receivedBefore: table.hasCarriedOthers(peer) ? context.sockets.receivedBytes(peer) : 0,
    });
    context.connections.add(this);
    context.pendingUpgrades.add(this);
    for (const type of EVENTS) socket.addEventListener(type, this);
  }

  get lingerMs(): number {
    return this.#context.lingerMs;
  }

  /** Ends the connection itself. */
  abort(): void {
    this.#context.sockets.abort(this.#peer);
  }

  /** What its peer has acknowledged. */
  takenBytes(): number | undefined {
    return this.#context.sockets.takenBytes(this.#peer);
  }

  /** Takes the socket's events. */
  handleEvent(event: Event): void {
    if (event instanceof MessageEvent) this.#onMessage(event);
    else if (event instanceof CloseEvent) this.#onClose(event);
    else if (event.type === "error") this.#onError(event);
    else if (event.type === "open") this.#onOpen();
  }

  /** It did not open in time. */
  giveUp(): void {
    this.#letGo();
  }

  /** The client sends without an end. */
  onEndless(bytes: number): void {
    logOf("server").warning("client.endless_message", {
      ...(this.#session?.logFields ?? { address: this.#wishes?.address }),
      code: "BAD_MESSAGE",
      bytes,
    });
    if (this.#session) this.#context.hub.expel(this.#session, "tooBig");
    this.abort();
  }

  #onOpen(): void {
    const { visitors, pendingUpgrades } = this.#context;
    pendingUpgrades.remove(this);
    if (this.#isGone) { // too late: its place may be somebody else's by now
      this.#socket.close(CLOSE.slowClient.code, CLOSE.slowClient.reason);
      return;
    }
    this.#visitor = visitors.enter(this.#transport, this.#identity, this.#wishes ?? {});
    this.#wishes = undefined;
  }

  get #session(): Session | undefined {
    return this.#visitor?.session;
  }

  #onMessage({ data }: MessageEvent): void {
    const { clock } = this.#context;
    this.#transport.received();
    if (typeof data === "string") {
      this.#watched.delivered(utf8Length(data));
      this.#session?.receive(data, clock.now());
    } else if (data instanceof ArrayBuffer) {
      this.#watched.delivered(data.byteLength);
      this.#session?.receiveBinary(data.byteLength, clock.now());
    }
  }

  /** Details of a protocol error, if it was one; the close that follows is what counts. */
  #onError(event: Event): void {
    const why = event instanceof ErrorEvent ? event.message : "connection error";
    logOf("server").debug("client.connection_error", { ...this.#session?.logFields, why });
    if (this.#seemedClean && this.#session) {
      this.#context.hub.wasLostAfterAll(this.#session, why);
    }
    this.#seemedClean = false;
  }

  /** It may come twice (an idle timeout does that): everything here bears it. */
  #onClose({ wasClean, code }: CloseEvent): void {
    this.#letGo();
    const session = this.#session;
    if (session && !session.hasEnded) {
      this.#seemedClean = wasClean && NOT_THE_CLIENTS_OWN.has(code);
      this.#context.hub.disconnected(session, { clean: wasClean, code });
    } else session?.gone();
    if (this.#seemedClean) return;
    // The runtime keeps a closed socket until its next ping would be due: let it keep no more.
    for (const type of EVENTS) this.#socket.removeEventListener(type, this);
  }

  /** Gives back all that is held for the connection. */
  #letGo(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    const { pendingUpgrades, connections } = this.#context;
    pendingUpgrades.remove(this);
    this.#visitor?.[Symbol.dispose]();
    this.#transport[Symbol.dispose]();
    this.#watched[Symbol.dispose]();
    this.#use[Symbol.dispose]();
    this.#place[Symbol.dispose]();
    connections.remove(this);
  }
}

/** Bytes of a text as it came over the wire. */
function utf8Length(text: string): number {
  return encoder.encode(text).length;
}
