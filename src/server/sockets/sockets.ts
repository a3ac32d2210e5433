import type { SocketAddress } from "../../platform/socket_address.ts";
import type { HubConfig } from "../../config/schema.ts";
import type { Clock } from "../../resilience/clock.ts";
import type { Descriptors } from "../../telemetry/process_figures.ts";
import type { ListenersOptions } from "./listeners.ts";
import { ConnectionSweep, type PendingEnd } from "./connection_sweep.ts";
import { ConnectionTable, type ConnectionUse } from "./connection_table.ts";
import { DescriptorReserve } from "./descriptor_reserve.ts";
import { FragmentGuard } from "./fragment_guard.ts";
import { type OwnedSockets, SocketGuard, type SocketGuardOptions } from "./socket_guard.ts";

export interface SocketsOptions {
  clock: Clock;
  limits: HubConfig;
  /** How many backends there are, which need descriptors, too. */
  backends: number;
  /**
   * Threads that share the clients of this process, about as many for each; the main thread looks
   * after what is the whole process'. Default: the main thread has them all.
   */
  threads?: number;
  /** Opens the C library. Default: the system's; a test may refuse it. */
  openLibc?: SocketGuardOptions["open"];
}

/** What is to be counted of the sockets. */
export interface SocketFigures {
  readonly descriptors: Descriptors;
  /** Connections that are no client's. */
  readonly pending: number;
  /** Those of them that the hub ended, by why. */
  readonly pendingEnded: ReadonlyMap<PendingEnd, number>;
  /** Times the listening socket ended by itself. */
  readonly listenerLosses: number;
}

/** How often descriptors are counted where nothing else looks at them, in milliseconds; and seldom, with plenty. */
const DESCRIPTORS_EVERY_MS = 100;
const DESCRIPTORS_SELDOM_MS = 1000;

/**
 * The sockets of the hub, from the one that listens to those of its clients: what they may cost,
 * how long they may be there for nothing, and how they are ended.
 */
export class Sockets implements Disposable {
  readonly table: ConnectionTable;
  readonly inbound: FragmentGuard;
  readonly reserve: DescriptorReserve;
  readonly #clock: Clock;
  readonly #guard: SocketGuard;
  readonly #sweep: ConnectionSweep;
  #listenerLosses = 0;

  constructor({ clock, limits, backends, threads, openLibc }: SocketsOptions) {
    const requestTimeoutMs = limits.request_timeout;
    this.#clock = clock;
    this.#guard = new SocketGuard({
      stallTimeoutMs: limits.stall_timeout,
      ...(openLibc ? { open: openLibc } : {}),
    });
    this.reserve = new DescriptorReserve(this.#guard.descriptors(), backends);
    if (threads === undefined) this.reserve.warnOf(limits.max_clients);
    this.table = new ConnectionTable({ clock, requestTimeoutMs });
    this.#sweep = new ConnectionSweep({
      clock,
      sockets: this.#guard,
      table: this.table,
      reserve: this.reserve,
      requestTimeoutMs,
      maxPending: Math.ceil(
        Math.min(limits.max_clients, this.reserve.roomForClients) / (threads ?? 1),
      ),
    });
    this.inbound = new FragmentGuard({
      clock,
      sockets: this.#guard,
      maxMessageBytes: limits.max_message_bytes,
      threads,
    });
  }

  /** What the listening socket needs of the operating system. */
  get listening(): Pick<
    ListenersOptions,
    "onListening" | "handOver" | "isListening" | "onLost" | "mayReopen"
  > {
    return {
      onListening: (address) => this.#guard.tune(address),
      handOver: (open, isShared) => this.#guard.handOver(open, isShared),
      isListening: () => this.#guard.isListening(),
      onLost: () => {
        this.#listenerLosses += 1;
        this.reserve.ranOut();
      },
      mayReopen: () => {
        this.reserve.look(this.#guard.descriptors());
        return !this.reserve.isShort;
      },
    };
  }

  /** Answers requests by a handler, and knows of each as long as its connection carries it. */
  handler(answer: Deno.ServeHandler): Deno.ServeHandler {
    return async (request, info) => {
      const use = this.#request(info);
      // Asked for first: an upgrade closes the request.
      info.completed.then(() => use[Symbol.dispose](), () => use[Symbol.dispose]());
      try {
        return await answer(request, info);
      } finally {
        use.answered();
      }
    };
  }

  /** Bytes this peer has acknowledged; `undefined` if that is not known of one client alone. */
  takenBytes(peer: SocketAddress): number | undefined {
    return this.table.isAlone(peer) ? this.#guard.takenBytes(peer) : undefined;
  }

  /** Bytes received on the connection with this peer; `undefined` if that is not known. */
  receivedBytes(peer: SocketAddress): number | undefined {
    return this.#guard.receivedBytes(peer);
  }

  /**
   * Whether the connection with this peer speaks HTTP/2: there the server speaks before the first
   * request is answered, in HTTP/1 it has said nothing then. Without TLS, that is.
   */
  isHttp2(peer: SocketAddress): boolean {
    return this.table.speaksHttp2(peer, () => this.#guard.hasSent(peer) === true);
  }

  /** Ends the connection with this peer by force. */
  abort(peer: SocketAddress): void {
    this.#guard.abort(peer);
  }

  /** Ends it unless others use it as well: streams of one connection do not end each other. */
  abortIfAlone(peer: SocketAddress): void {
    if (this.table.isAlone(peer)) this.#guard.abort(peer);
  }

  /** By what others of this process know these; undefined if they cannot. */
  get owned(): OwnedSockets | undefined {
    return this.#guard.owned;
  }

  /** Has nobody new come to the sockets of another thread, which does not answer. */
  stopListening(owned: OwnedSockets): void {
    this.#guard.stopListening(owned);
  }

  /** Ends the sockets of another thread, which cannot do it any more. */
  endAll(owned: OwnedSockets): void {
    this.#guard.endAll(owned);
  }

  figures(): SocketFigures {
    return {
      descriptors: this.#guard.descriptors(),
      pending: this.table.pending,
      pendingEnded: this.#sweep.ended(),
      listenerLosses: this.#listenerLosses,
    };
  }

  /** Looks after the descriptors alone until aborted, where other threads have the connections. */
  async watchDescriptors(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        this.reserve.look(this.#guard.descriptors());
        const everyMs = this.reserve.hasPlenty ? DESCRIPTORS_SELDOM_MS : DESCRIPTORS_EVERY_MS;
        // Not with others that look at something: those are in the other threads.
        await this.#clock.sleep(everyMs, { signal });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Looks after them until aborted. */
  run(signal: AbortSignal): void {
    if (!this.#guard.isAvailable) return;
    void this.inbound.run(signal);
    void this.#sweep.run(signal);
  }

  [Symbol.dispose](): void {
    this.reserve[Symbol.dispose]();
    this.#guard[Symbol.dispose]();
  }

  #request({ remoteAddr }: Deno.ServeHandlerInfo): ConnectionUse {
    if (!("hostname" in remoteAddr)) return NO_USE;
    return this.table.request(remoteAddr);
  }
}

const NO_USE: ConnectionUse = { answered() {}, [Symbol.dispose]() {} };
