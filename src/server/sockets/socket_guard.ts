import { LEAST_LABEL, type Libc, openLibc, type Slice } from "../../platform/libc.ts";
import { addressKey, type SocketAddress } from "../../platform/socket_address.ts";
import { type Log, logOf } from "../../telemetry/log.ts";
import type { Descriptors } from "../../telemetry/process_figures.ts";
import type { SweepableSockets } from "./connection_sweep.ts";
import type { ClientHold, ConnectionVerdict, SeenConnection } from "./connection_table.ts";
import type { ReceivedBytes } from "./fragment_guard.ts";

/**
 * The kernel's share of one client's waiting bytes. The system's default lets it grow to megabytes
 * before a stalled client is even noticed; the kernel doubles this figure for its bookkeeping.
 */
const SEND_BUFFER_BYTES = 65_536;

/**
 * What one read of a client's bytes can bring. The system's default grows to megabytes, and the
 * runtime reads a connection many times over before it lets anything else run: so many clients
 * that send without an end would cost hundreds of megabytes before the guard gets to look. Four
 * round trips for the longest message by default are fast enough.
 */
const RECEIVE_BUFFER_BYTES = 16_384;

/** What the kernel can count of it (a C int), in milliseconds; longer ones are cut down to this. */
const LONGEST_USER_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Sweeps for single connections are followed by a pause so many times as long: one may take tens of
 * milliseconds, and who asks for them are clients.
 */
const PAUSE_PER_SWEEP = 10;

/** Sockets of one guard, as plain data. */
export interface OwnedSockets {
  readonly label: number;
  readonly listener: SocketAddress;
}

export interface SocketGuardOptions {
  /** How long a client may take nothing before it is told, in milliseconds. */
  stallTimeoutMs: number;
  /** Opens the C library. Default: the system's; a test may refuse it. */
  open?: typeof openLibc;
}

/**
 * Ends what JavaScript cannot end: the connection of a client that takes nothing. The kernel does
 * it for all (`TCP_USER_TIMEOUT`, inherited from the listening socket) and the guard for single
 * ones. Where there is no way to the C library it says so once; everything else works, only that
 * such a connection lingers until the kernel gives up by itself.
 */
export class SocketGuard implements ReceivedBytes, SweepableSockets, Disposable {
  readonly #options: SocketGuardOptions;
  readonly #libc: Libc | undefined;
  readonly #log: Log = logOf("server");
  readonly #doomed = new Set<string>();
  /** By which the connections of this guard's listening socket are known. */
  readonly #label = LEAST_LABEL + Math.floor(Math.random() * LEAST_LABEL);
  /** Where the connections were at the last sweep, by their keys. */
  #places: ReadonlyMap<string, number> = new Map();
  /**
   * Connections that are clients', by their descriptors: as long as they are, a descriptor is not
   * another one's, and nothing of it need be asked. One entry a client.
   */
  readonly #held = new Map<number, { readonly key: string; readonly hold: ClientHold }>();
  #nextSweepAt = -Infinity;
  #listener: SocketAddress | undefined;
  /** Where the listening sockets were found; looked at again before each use. */
  #listening: readonly number[] = [];
  #isDisposed = false;

  constructor(options: SocketGuardOptions) {
    const { open = openLibc } = options;
    this.#options = options;
    const libc = open();
    if ("unavailable" in libc) {
      this.#log.warning("socket_guard.unavailable", {
        why: libc.unavailable,
        effect: "stalled connections end only when the kernel gives up on them",
      });
    } else this.#libc = libc;
  }

  /** Whether single connections can be ended. */
  get isAvailable(): boolean {
    return this.#libc !== undefined;
  }

  /**
   * Sets the options that every connection accepted by this listening socket inherits. Where several
   * guards of a process listen on one address, each has to be called before the next one listens.
   */
  tune(listener: SocketAddress): void {
    this.#listener = listener;
    const libc = this.#libc;
    if (libc === undefined) return;
    // Those with a label are another one's of this process, or our own that is being replaced.
    const sockets = libc.listeningSockets(listener).filter((fd) => libc.label(fd) === undefined);
    if (sockets.length === 0) {
      this.#log.warning("socket_guard.not_tuned", { why: "the listening socket was not found" });
    }
    this.#listening = sockets;
    for (const fd of sockets) {
      const result = libc.tuneListener(fd, {
        // A client is told after one timeout; its connection has to live long enough for that, and
        // to be gone one timeout later.
        userTimeoutMs: Math.min(
          LONGEST_USER_TIMEOUT_MS,
          Math.max(1, Math.round(2 * this.#options.stallTimeoutMs)),
        ),
        sendBufferBytes: SEND_BUFFER_BYTES,
        receiveBufferBytes: RECEIVE_BUFFER_BYTES,
        label: this.#label,
      });
      if (!result.ok) this.#log.warning("socket_guard.not_tuned", { why: result.why });
    }
  }

  /** Whether the socket that was tuned last still listens; `undefined` if that cannot be told. */
  isListening(): boolean | undefined {
    const listener = this.#listener;
    const libc = this.#libc;
    if (libc === undefined || listener === undefined || this.#isDisposed) return undefined;
    if (this.#listening.length === 0) return undefined; // it was not found
    return this.#listening.some((fd) => libc.isListening(fd, listener));
  }

  /**
   * Has another listening socket take over the port from those there are: `open` begins to listen
   * while they still do, so that the port is never without one; then they let go of it, and their
   * connections live on. If `open` throws, all stays as it was.
   *
   * @param isShared Whether sockets of other processes may listen there as well.
   * @returns False, and nothing done, where there is no way to do that.
   */
  handOver(open: () => void, isShared: boolean): boolean {
    const libc = this.#libc;
    const listener = this.#listener;
    if (libc === undefined || listener === undefined) return false;
    const own = () =>
      libc.listeningSockets(listener).filter((fd) => libc.label(fd) === this.#label);
    const old = own();
    const share = (sockets: readonly number[], isOn: boolean) => {
      if (!isShared) { for (const fd of sockets) libc.sharePort(fd, isOn); }
    };
    share(old, true);
    try {
      open();
    } catch (error) {
      share(old, false);
      throw error;
    }
    for (const fd of old) libc.stopListening(fd);
    share(own(), false);
    return true;
  }

  received(slice?: Slice): ReadonlyMap<string, number> {
    if (this.#listener === undefined) return new Map();
    if (slice === undefined) {
      // A client may have gone this very moment without our knowing: what a whole sweep says counts,
      // and that asks the kernel who is where.
      return this.#libc?.receivedByPeer(this.#listener.port) ?? new Map();
    }
    return this.#libc?.receivedByPeer(this.#listener.port, {
      slice,
      knownPeer: (fd) => this.#heldAt(fd),
      skip: (fd) => this.#isOthers(fd),
    }) ?? new Map();
  }

  sweep(
    visit: (key: string, seen: SeenConnection) => ConnectionVerdict | ClientHold,
    slice: Slice,
  ): void {
    const libc = this.#libc;
    if (libc === undefined || this.#listener === undefined || this.#isDisposed) return;
    // On a port that is shared within this process, others look after their own: that is asked
    // first, as it is one call where the others are four.
    const isOurs = (fd: number) => libc.label(fd) === this.#label;
    libc.forEachConnection(this.#listener.port, (fd, key) => {
      const seen = libc.tcpInfo(fd);
      if (seen === undefined) return;
      const verdict = visit(key, seen);
      if (verdict === "close") libc.closeConnection(fd);
      else if (verdict === "abort") libc.abortConnection(fd);
      else if (verdict !== "keep") this.#held.set(fd, { key, hold: verdict });
    }, { slice, skip: (fd) => this.#heldAt(fd) !== undefined || !isOurs(fd) });
  }

  abortAll(keys: ReadonlySet<string>): number {
    if (this.#libc === undefined || this.#listener === undefined || this.#isDisposed) return 0;
    return this.#libc.abortSockets(keys, this.#listener.port).size;
  }

  unread(keys: ReadonlySet<string>): ReadonlyMap<string, number> {
    const unread = new Map<string, number>();
    const libc = this.#libc;
    if (libc === undefined || this.#listener === undefined) return unread;
    for (const [key, fd] of libc.peerSockets(this.#listener.port)) {
      if (keys.has(key)) unread.set(key, libc.unreadBytes(fd) ?? 0);
    }
    return unread;
  }

  /** Whether another guard of this process looks after it. */
  #isOthers(fd: number): boolean {
    const label = this.#libc?.label(fd);
    return label !== undefined && label !== this.#label;
  }

  /** The key of the client's connection that has this descriptor. */
  #heldAt(fd: number): string | undefined {
    const held = this.#held.get(fd);
    if (held === undefined) return undefined;
    if (!held.hold.isOver) return held.key;
    this.#held.delete(fd);
    return undefined;
  }

  /** Bytes this peer has acknowledged in its connection's life; `undefined` if that is not known. */
  takenBytes(peer: SocketAddress): number | undefined {
    const fd = this.#descriptorOf(peer);
    return fd === undefined ? undefined : this.#libc?.ackedBytes(fd);
  }

  /** Bytes received on the connection with this peer; `undefined` if that is not known. */
  receivedBytes(peer: SocketAddress): number | undefined {
    const fd = this.#descriptorOf(peer);
    return fd === undefined ? undefined : this.#libc?.receivedBytes(fd);
  }

  /** Whether anything was sent on the connection with this peer; `undefined` if that is not known. */
  hasSent(peer: SocketAddress): boolean | undefined {
    const fd = this.#descriptorOf(peer);
    const info = fd === undefined ? undefined : this.#libc?.tcpInfo(fd);
    if (info === undefined) return undefined;
    return info.ackedBytes > 0 || info.unackedSegments > 0 || (info.notSentBytes ?? 0) > 0;
  }

  /**
   * The descriptor of the connection with this peer, good for this turn. Where it was at the last
   * sweep it is most likely still, which two calls tell; else a sweep finds all of them, as far as
   * sweeps do not take more than a part of all time.
   */
  #descriptorOf(peer: SocketAddress): number | undefined {
    const libc = this.#libc;
    const port = this.#listener?.port;
    if (libc === undefined || port === undefined || this.#isDisposed) return undefined;
    const key = addressKey(peer);
    const known = this.#places.get(key);
    if (known !== undefined && libc.isConnection(known, key, port)) return known;
    const now = performance.now();
    if (now < this.#nextSweepAt) return undefined;
    this.#places = libc.peerSockets(port);
    const end = performance.now();
    this.#nextSweepAt = end + (end - now) * PAUSE_PER_SWEEP;
    return this.#places.get(key);
  }

  /** The descriptors of this process, which are mostly its connections; empty if they are not known. */
  descriptors(): Descriptors {
    const libc = this.#libc;
    if (libc === undefined || this.#isDisposed) return {};
    const open = libc.openDescriptors();
    const [, soft] = /^Max open files\s+(\d+)/m.exec(libc.readProc("/proc/self/limits") ?? "") ??
      [];
    return {
      ...(open === undefined ? {} : { open }),
      ...(soft === undefined ? {} : { max: Number(soft) }),
    };
  }

  /** By what others of this process know the sockets of this guard; undefined if they cannot. */
  get owned(): OwnedSockets | undefined {
    const listener = this.#listener;
    return this.#libc && listener && { label: this.#label, listener };
  }

  /** The listening sockets of another guard of this process let go of the port: nobody comes to them. */
  stopListening({ label, listener }: OwnedSockets): void {
    const libc = this.#libc;
    if (libc === undefined || this.#isDisposed) return;
    for (const fd of libc.listeningSockets(listener)) {
      if (libc.label(fd) === label) libc.stopListening(fd);
    }
  }

  /**
   * Ends the sockets of another guard of this process, whose thread cannot do it any more: nobody new
   * comes to it, and its clients see the end.
   */
  endAll({ label, listener }: OwnedSockets): void {
    const libc = this.#libc;
    if (libc === undefined || this.#isDisposed) return;
    this.stopListening({ label, listener });
    libc.forEachConnection(listener.port, (fd) => {
      if (libc.label(fd) === label) libc.closeConnection(fd);
    });
  }

  /** Ends the connection with this peer within the current turn; many at once cost one sweep. */
  abort(peer: SocketAddress): void {
    if (this.#isDisposed || this.#libc === undefined || this.#listener === undefined) return;
    this.#doomed.add(addressKey(peer));
    if (this.#doomed.size > 1) return;
    queueMicrotask(() => this.#abortDoomed());
  }

  [Symbol.dispose](): void {
    this.#abortDoomed();
    this.#isDisposed = true;
    this.#libc?.[Symbol.dispose]();
  }

  #abortDoomed(): void {
    if (this.#doomed.size === 0 || this.#listener === undefined) return;
    const ended = this.#libc?.abortSockets(this.#doomed, this.#listener.port);
    this.#log.debug("socket_guard.aborted", { asked: this.#doomed.size, ended: ended?.size });
    this.#doomed.clear();
  }
}
