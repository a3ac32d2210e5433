import { addressKey, type SocketAddress } from "../../platform/socket_address.ts";
import type { Clock } from "../../resilience/clock.ts";

/** One request, or one client, on a connection; over by disposing of it, once or more often. */
export interface ConnectionUse extends Disposable {
  /** The request was answered; what is left is for its sender to take the answer. */
  answered(): void;
}

/** What the operating system says of a connection. */
export interface SeenConnection {
  readonly receivedBytes: number;
  /** Bytes sent that the peer has acknowledged. */
  readonly ackedBytes: number;
}

/** What is to become of a connection. */
export type ConnectionVerdict =
  | "keep"
  /** Nobody uses it, or takes what was asked for: it is to be closed. */
  | "close"
  /** It was closed and is still there. */
  | "abort";

/** A connection that is a client's, and needs no look as long as it is. */
export interface ClientHold {
  readonly isOver: boolean;
}

export interface ConnectionTableOptions {
  clock: Clock;
  /** How long a connection may be there without a whole request, in milliseconds. */
  requestTimeoutMs: number;
}

interface TcpConnection {
  /** Requests being answered by us: bounded by their own deadlines. */
  asking: number;
  /** Answers on their way, which the peer has to take. */
  answering: number;
  clients: number;
  /** Requests that began on it. */
  requests: number;
  /** When it came to be as it is: new, without use, or with a request that has begun to arrive. */
  sinceMs: number;
  /** Without use: what had been received when that was first seen. */
  receivedBytes: number | undefined;
  /** Without use: bytes of a request have come. */
  hasBegun: boolean;
  ackedBytes: number;
  ackedAt: number;
  isClosed: boolean;
  isHttp2?: boolean;
  seenInRound: number;
  /** Once a sweep has seen it with a client on it. */
  hold?: { isOver: boolean } | undefined;
}

/**
 * Every connection there is, and who uses it: requests come to be known as they are answered, and
 * what never becomes a request by being seen in a sweep over all sockets. One that nobody uses has
 * {@linkcode ConnectionTableOptions.requestTimeoutMs} for its next request, and as long again from
 * the first byte of that. Holds one entry a connection.
 */
export class ConnectionTable {
  readonly #options: ConnectionTableOptions;
  readonly #connections = new Map<string, TcpConnection>();
  #round = 0;
  #pending = 0;

  constructor(options: ConnectionTableOptions) {
    this.#options = options;
  }

  /** Connections that are known. */
  get size(): number {
    return this.#connections.size;
  }

  /** Connections that were no client's when they were last seen. */
  get pending(): number {
    return this.#pending;
  }

  /** A request has come on the connection with this peer. */
  request(peer: SocketAddress): ConnectionUse {
    const connection = this.#of(addressKey(peer));
    connection.requests += 1;
    return this.#use(connection, "asking");
  }

  /** A client lives on the connection with this peer. */
  client(peer: SocketAddress): ConnectionUse {
    return this.#use(this.#of(addressKey(peer)), "clients");
  }

  /** Whether one client, or one request, has the connection with this peer for itself. */
  isAlone(peer: SocketAddress): boolean {
    const connection = this.#connections.get(addressKey(peer));
    return connection === undefined || usesOf(connection) <= 1;
  }

  /** Whether the connection with this peer carried other requests before the one being answered. */
  hasCarriedOthers(peer: SocketAddress): boolean {
    return (this.#connections.get(addressKey(peer))?.requests ?? 0) > 1;
  }

  /**
   * Whether the connection with this peer speaks HTTP/2. That can be seen at its first request
   * alone, and is remembered.
   */
  speaksHttp2(peer: SocketAddress, see: () => boolean): boolean {
    const connection = this.#connections.get(addressKey(peer));
    if (connection === undefined || connection.requests > 1) return connection?.isHttp2 ?? false;
    return connection.isHttp2 ??= see();
  }

  /** A sweep saw a connection: what is to become of it. */
  seen(key: string, { receivedBytes, ackedBytes }: SeenConnection): ConnectionVerdict {
    const now = this.#options.clock.now();
    const connection = this.#of(key);
    connection.seenInRound = this.#round;
    const hasMoved = ackedBytes !== connection.ackedBytes;
    if (hasMoved) {
      connection.ackedBytes = ackedBytes;
      connection.ackedAt = now;
    }
    if (connection.isClosed) return "abort";
    if (!this.#isOver(connection, receivedBytes, now)) return "keep";
    connection.isClosed = true;
    return "close";
  }

  /** Until when the connection with this peer need not be seen; `undefined` if it has to be. */
  holdOf(key: string): ClientHold | undefined {
    const connection = this.#connections.get(key);
    if (connection === undefined || connection.clients === 0) return undefined;
    return connection.hold ??= { isOver: false };
  }

  /** A sweep over all sockets is done: connections that it did not see are gone. */
  endOfRound(): void {
    this.#pending = 0;
    for (const [key, connection] of this.#connections) {
      const isGone = connection.seenInRound < this.#round && usesOf(connection) === 0;
      if (isGone) this.#connections.delete(key);
      else if (connection.clients === 0) this.#pending += 1;
    }
    this.#round += 1;
  }

  /**
   * The keys of the connections to do without first, at most so many: those that nobody uses for
   * longest, then those whose peers take an answer, the oldest first. Never a client's.
   */
  leastMissed(count: number): Set<string> {
    const candidates = [...this.#connections]
      .filter(([, { clients, asking }]) => clients === 0 && asking === 0)
      .toSorted(([, a], [, b]) =>
        Math.sign(a.answering) - Math.sign(b.answering) || a.sinceMs - b.sinceMs
      );
    return new Set(candidates.slice(0, count).map(([key]) => key));
  }

  #isOver(connection: TcpConnection, receivedBytes: number, now: number): boolean {
    const { requestTimeoutMs } = this.#options;
    if (connection.clients > 0 || connection.asking > 0) return false;
    if (connection.answering > 0) return now - connection.ackedAt > requestTimeoutMs;
    if (connection.receivedBytes === undefined) {
      connection.receivedBytes = receivedBytes; // the first sight since it is without use
    } else if (receivedBytes !== connection.receivedBytes && !connection.hasBegun) {
      // The next request begins to arrive, or another peer has the same address by now.
      connection.hasBegun = true;
      connection.sinceMs = now;
    }
    return now - connection.sinceMs > requestTimeoutMs;
  }

  #of(key: string): TcpConnection {
    let connection = this.#connections.get(key);
    if (connection === undefined) {
      const now = this.#options.clock.now();
      connection = {
        asking: 0,
        answering: 0,
        clients: 0,
        requests: 0,
        sinceMs: now,
        receivedBytes: undefined,
        hasBegun: true, // a new one has not waited for anything before
        ackedBytes: 0,
        ackedAt: now,
        isClosed: false,
        seenInRound: this.#round,
      };
      this.#connections.set(key, connection);
    }
    return connection;
  }

  /** From here on sweeps have to see it again, as if they had until now. */
  #release(connection: TcpConnection): void {
    if (connection.hold === undefined) return;
    connection.hold.isOver = true;
    connection.hold = undefined;
    connection.seenInRound = this.#round;
    connection.ackedAt = this.#options.clock.now();
  }

  #use(connection: TcpConnection, kind: "asking" | "clients"): ConnectionUse {
    const { clock } = this.#options;
    let state: "asking" | "answering" | "clients" | "over" = kind;
    connection[kind] += 1;
    connection.isClosed = false; // whoever can ask is there
    return {
      answered: () => {
        if (state !== "asking") return;
        state = "answering";
        connection.asking -= 1;
        connection.answering += 1;
        connection.ackedAt = clock.now();
      },
      [Symbol.dispose]: () => {
        if (state === "over") return;
        connection[state] -= 1;
        state = "over";
        if (connection.clients === 0) this.#release(connection);
        connection.sinceMs = clock.now();
        connection.receivedBytes = undefined;
        connection.hasBegun = false;
      },
    };
  }
}

/** An event stream is a client and its request at a time, a WebSocket is a client alone. */
function usesOf({ asking, answering, clients }: TcpConnection): number {
  return Math.max(asking + answering, clients);
}
