/**
 * The one room that calls the C library, for what Deno has no API for and a hub needs: to bound
 * what a client may cost, to end a connection that JavaScript cannot end, to speak to systemd.
 */
import { type LibcUnavailable, openLibrary, type OpenLibraryOptions } from "./libc_library.ts";
import { addressKey, type SocketAddress } from "./socket_address.ts";
import { SOCK_STREAM, SOCKET_OPTION } from "./socket_options.ts";
import { type SyscallResult, Syscalls } from "./syscalls.ts";
import { readAckedBytes, readReceivedBytes, readTcpInfo, type TcpInfo } from "./tcp_info.ts";
import { unixAddress } from "./unix_address.ts";

export interface TuneListenerOptions {
  /**
   * How long a client may take nothing, in milliseconds, before the kernel ends its connection
   * (`TCP_USER_TIMEOUT`). Default: what the system has.
   */
  userTimeoutMs?: number;
  /**
   * Send buffer of one connection, in bytes (`SO_SNDBUF`); the kernel doubles it for its own use
   * and caps it at `net.core.wmem_max`. Default: what the system has, often several megabytes.
   */
  sendBufferBytes?: number;
  /**
   * Receive buffer of one connection, in bytes (`SO_RCVBUF`); the kernel doubles it too and caps it
   * at `net.core.rmem_max`. It bounds what one read can bring. Default: what the system has.
   */
  receiveBufferBytes?: number;
  /**
   * By which its connections are known as those of this listening socket, among others of this
   * process on the same port; at least {@linkcode LEAST_LABEL}. Default: none.
   */
  label?: number;
}

interface SweepOptions {
  slice?: Slice | undefined;
  skip?: ((fd: number) => boolean) | undefined;
  knownPeer?: ((fd: number) => string | undefined) | undefined;
}

/** Smaller labels would bound what a socket takes in: it is a number of bytes to the kernel. */
export const LEAST_LABEL = 2 ** 29;

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const SHUT_RDWR = 2;
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9n;
const CLOCK_MONOTONIC = 1;

/** More than any file of `/proc` we read: a table of mounts may have thousands of lines. */
const MAX_PROC_BYTES = 4 * 1024 * 1024;

/** The largest value of an option that is a C int. */
const MAX_INT = 2 ** 31 - 1;

/**
 * Opens the C library for use, or tells why it cannot be: not Linux, no permission, not where it
 * is looked for. All else works without it; log the reason once.
 *
 * @example
 * ```ts
 * const libc = openLibc();
 * if ("unavailable" in libc) log.warning("libc.unavailable", { why: libc.unavailable });
 * ```
 */
export function openLibc(options: OpenLibraryOptions = {}): Libc | LibcUnavailable {
  const library = openLibrary(options);
  if ("unavailable" in library) return library;
  const syscalls = new Syscalls(library);
  if (syscalls.isSane()) return new Libc(syscalls);
  syscalls[Symbol.dispose]();
  return { unavailable: "the C library does not report errors as expected" };
}

/**
 * Calls to the C library; get one from {@linkcode openLibc}. All are synchronous, and failures
 * that happen are values.
 *
 * Sockets are named by descriptors, which Deno does not show: they are found by sweeping over all
 * of them. A descriptor is good only until the event loop runs again, for then it may be another
 * connection's: use it at once, never keep one.
 *
 * @throws {TypeError} From every method but disposal, once disposed of.
 */
export class Libc implements Disposable {
  readonly #syscalls: Syscalls;
  #descriptorsEnd = 0;

  /** @param syscalls Owned from now on: disposed of with this. */
  constructor(syscalls: Syscalls) {
    this.#syscalls = syscalls;
  }

  /** The descriptor of our socket that listens on this address, as `server.addr` has it. */
  listeningSocket(address: SocketAddress): number | undefined {
    return this.listeningSockets(address)[0];
  }

  /** Those of all our sockets that listen on this address; sockets can share one (`SO_REUSEPORT`). */
  listeningSockets(address: SocketAddress): number[] {
    const key = addressKey(address);
    const end = this.#syscalls.descriptorsEnd();
    const sockets: number[] = [];
    for (let fd = 0; fd < end; fd++) {
      if (this.#syscalls.localKey(fd) !== key) continue;
      if (this.#syscalls.getInt(SOCKET_OPTION.acceptsConnections, fd) === 1) sockets.push(fd);
    }
    return sockets;
  }

  /** The label of a listening socket or of a connection it accepted; `undefined` without one. */
  label(fd: number): number | undefined {
    const label = this.#syscalls.getInt(SOCKET_OPTION.notSentLowWater, fd);
    return label !== undefined && label >= LEAST_LABEL ? label : undefined;
  }

  /** Whether a descriptor still is our socket that listens on this address. */
  isListening(fd: number, address: SocketAddress): boolean {
    return this.#syscalls.localKey(fd) === addressKey(address) &&
      this.#syscalls.getInt(SOCKET_OPTION.acceptsConnections, fd) === 1;
  }

  /**
   * Sets options on a listening socket that every connection accepted from then on inherits.
   *
   * @throws {RangeError} If an option is not a positive integer that fits a C int.
   */
  tuneListener(fd: number, options: TuneListenerOptions): SyscallResult {
    const { userTimeoutMs, sendBufferBytes, receiveBufferBytes, label } = options;
    requireInt("userTimeoutMs", userTimeoutMs);
    requireInt("sendBufferBytes", sendBufferBytes);
    requireInt("receiveBufferBytes", receiveBufferBytes);
    requireInt("label", label);
    const settings = [
      [SOCKET_OPTION.userTimeout, userTimeoutMs],
      [SOCKET_OPTION.sendBuffer, sendBufferBytes],
      [SOCKET_OPTION.receiveBuffer, receiveBufferBytes],
      [SOCKET_OPTION.notSentLowWater, label],
    ] as const;
    for (const [option, value] of settings) {
      if (value === undefined) continue;
      const result = this.#syscalls.setInts(option, fd, [value]);
      if (!result.ok) return result;
    }
    return { ok: true };
  }

  /**
   * Has the kernel kill this process when the one that started it ends, even if it could not be
   * reached otherwise.
   */
  endWithParent(): SyscallResult {
    if (this.#syscalls.c.prctl(PR_SET_PDEATHSIG, SIGKILL, 0n, 0n, 0n) === 0) return { ok: true };
    return this.#syscalls.failure("prctl");
  }

  /**
   * Makes a listening socket let go of its port at once. Connections it has accepted live on; Deno
   * sees the next accept fail (`finished` of an HTTP server rejects).
   */
  stopListening(fd: number): SyscallResult {
    if (this.#syscalls.c.shutdown(fd, SHUT_RDWR) === 0) return { ok: true };
    return this.#syscalls.failure("shutdown");
  }

  /** Lets another socket of ours listen on the same address, or not any more (`SO_REUSEPORT`). */
  sharePort(fd: number, isShared: boolean): SyscallResult {
    return this.#syscalls.setInts(SOCKET_OPTION.reusePort, fd, [isShared ? 1 : 0]);
  }

  /** What {@linkcode tuneListener} set, as one socket has it; to see that it was inherited. */
  tuning(fd: number): TuneListenerOptions {
    const userTimeoutMs = this.#syscalls.getInt(SOCKET_OPTION.userTimeout, fd);
    const sendBufferBytes = this.#syscalls.getInt(SOCKET_OPTION.sendBuffer, fd);
    const receiveBufferBytes = this.#syscalls.getInt(SOCKET_OPTION.receiveBuffer, fd);
    return {
      ...(userTimeoutMs === undefined ? {} : { userTimeoutMs }),
      ...(sendBufferBytes === undefined ? {} : { sendBufferBytes }),
      ...(receiveBufferBytes === undefined ? {} : { receiveBufferBytes }),
    };
  }

  /**
   * Our connected TCP sockets with this local port: the {@linkcode addressKey} of each peer, and
   * the socket's descriptor. Where one peer address has two connections, to two addresses of ours,
   * one of them is shown.
   *
   * A sweep costs up to 3 microseconds a descriptor: about 30 ms for 10,000 connections, during
   * which nothing else runs.
   */
  peerSockets(localPort: number): Map<string, number> {
    const sockets = new Map<string, number>();
    this.#sweep(localPort, (fd, peer) => {
      if (this.#isTcp(fd)) sockets.set(peer, fd);
    });
    return sockets;
  }

  /**
   * Bytes received ({@linkcode TcpInfo.receivedBytes}) of each of our TCP connections with this
   * local port, by the {@linkcode addressKey} of the peer, in one sweep (40 ms for 10,000). Where one
   * peer address has two connections, the larger figure. Empty if the kernel does not count them
   * (Linux before 4.1).
   *
   * @param options.slice Only the `nth` of `of` parts of all descriptors, counted from 0. Default: all.
   * @param options.skip Whether a descriptor needs no look.
   * @param options.knownPeer The peer of a descriptor of which that is known: it is not asked for again.
   */
  receivedByPeer(localPort: number, options: SweepOptions = {}): Map<string, number> {
    const received = new Map<string, number>();
    this.#sweep(localPort, (fd, peer) => {
      const bytes = this.receivedBytes(fd); // none unless it is TCP
      if (bytes !== undefined) received.set(peer, Math.max(bytes, received.get(peer) ?? 0));
    }, options);
    return received;
  }

  /**
   * Calls `visit` for each of our TCP connections with this local port, with its descriptor and
   * the {@linkcode addressKey} of its peer, as far as it lies in the slice.
   *
   * @param skip Whether a descriptor needs no look: it costs no call then.
   */
  forEachConnection(
    localPort: number,
    visit: (fd: number, peer: string) => void,
    { slice, skip }: { slice?: Slice; skip?: (fd: number) => boolean } = {},
  ): void {
    this.#sweep(localPort, (fd, peer) => {
      if (this.#isTcp(fd)) visit(fd, peer);
    }, { slice, skip });
  }

  /** Shuts a connection down in both directions; Deno sees its end and closes it. */
  closeConnection(fd: number): boolean {
    return this.#syscalls.c.shutdown(fd, SHUT_RDWR) === 0;
  }

  /** {@linkcode abortSocket} for one descriptor, found in this turn. */
  abortConnection(fd: number): boolean {
    return this.#abort(fd);
  }

  /**
   * Ends the connection with this peer at once, even one whose client takes nothing: the client
   * gets a reset, the kernel forgets what was unsent, and Deno sees the connection fail (a
   * WebSocket's `onerror`, then `onclose` with code 0; a stream's `cancel`).
   *
   * @param peer The peer's {@linkcode addressKey}.
   * @returns Whether there was such a connection.
   */
  abortSocket(peer: string, localPort: number): boolean {
    return this.abortSockets(new Set([peer]), localPort).size > 0;
  }

  /** {@linkcode abortSocket} for many peers in one sweep; the peers whose connection was ended. */
  abortSockets(peers: ReadonlySet<string>, localPort: number): Set<string> {
    const ended = new Set<string>();
    if (peers.size === 0) return ended;
    // Ended as soon as seen, so that nothing can come between: the descriptor is that peer's now.
    this.#sweep(localPort, (fd, peer) => {
      if (peers.has(peer) && this.#isTcp(fd) && this.#abort(fd)) ended.add(peer);
    });
    return ended;
  }

  /** Bytes received in a connection's life: {@linkcode TcpInfo.receivedBytes}. */
  receivedBytes(fd: number): number | undefined {
    return this.#syscalls.tcpInfo(fd, readReceivedBytes);
  }

  /** Bytes the peer has acknowledged in a connection's life: {@linkcode TcpInfo.ackedBytes}. */
  ackedBytes(fd: number): number | undefined {
    return this.#syscalls.tcpInfo(fd, readAckedBytes);
  }

  /** Whether a descriptor is our connection with this peer, by its {@linkcode addressKey}. */
  isConnection(fd: number, peer: string, localPort: number): boolean {
    return this.#syscalls.localPort(fd) === localPort && this.#syscalls.peerKey(fd) === peer &&
      this.#isTcp(fd);
  }

  /** Of the bytes received, those that still wait in the kernel for Deno to read them. */
  unreadBytes(fd: number): number | undefined {
    return this.#syscalls.unreadBytes(fd);
  }

  /** More about a connection; `undefined` if the descriptor is no TCP socket. */
  tcpInfo(fd: number): TcpInfo | undefined {
    return this.#syscalls.tcpInfo(fd, readTcpInfo);
  }

  /**
   * Sends one datagram to a Unix socket, without waiting: `EAGAIN` if its queue is full.
   *
   * @param path An absolute path, or `@name` for the abstract namespace.
   */
  sendDatagram(path: string, bytes: Uint8Array): SyscallResult {
    const address = unixAddress(path);
    if (!address.ok) return address;
    const { c } = this.#syscalls;
    const fd = c.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd === -1) return this.#syscalls.failure("socket");
    const { sockaddr } = address;
    const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    const sent = c.sendto(
      fd,
      new Uint8Array(bytes),
      BigInt(bytes.length),
      flags,
      sockaddr,
      sockaddr.length,
    );
    // Before `close`, which may set an error of its own.
    const result: SyscallResult = Number(sent) === -1
      ? this.#syscalls.failure(`sendto ${path}`)
      : { ok: true };
    c.close(fd);
    return result;
  }

  /**
   * Reads a file the kernel makes up (under `/proc`), which Deno guards with `--allow-all` however
   * harmless it is; `undefined` if it cannot be read.
   *
   * @param path A path under `/proc`: nothing else is read this way.
   * @throws {RangeError} If it is not.
   */
  readProc(path: string): string | undefined {
    if (!/^\/proc\/[A-Za-z0-9_/]+$/.test(path)) {
      throw new RangeError(`Cannot read ${path} as it is not a path under /proc`);
    }
    return this.#syscalls.readFile(path, MAX_PROC_BYTES);
  }

  /** Descriptors this process has open; `undefined` if they cannot be counted. */
  openDescriptors(): number | undefined {
    const entries = this.#syscalls.countEntries("/proc/self/fd");
    return entries === undefined ? undefined : entries - 1; // but for the one used to look
  }

  /**
   * The kernel's monotonic clock in microseconds, which other processes of this machine share;
   * `performance.now()` counts from the start of this one.
   */
  monotonicMicroseconds(): bigint {
    const time = new BigInt64Array(2); // struct timespec: seconds, nanoseconds
    this.#syscalls.c.clock_gettime(CLOCK_MONOTONIC, time);
    const [seconds = 0n, nanoseconds = 0n] = time;
    return seconds * 1_000_000n + nanoseconds / 1000n;
  }

  /** Closes the library. Connections and tuned listeners stay as they are. */
  [Symbol.dispose](): void {
    this.#syscalls[Symbol.dispose]();
  }

  /** Calls `visit` for each of our connected internet sockets with this local port. */
  #sweep(
    localPort: number,
    visit: (fd: number, peer: string) => void,
    { slice: { nth, of } = { nth: 0, of: 1 }, skip, knownPeer }: SweepOptions = {},
  ): void {
    const syscalls = this.#syscalls;
    // A round of slices takes it as it was at its first one: to ask costs as much as a hundred looks.
    if (nth === 0 || this.#descriptorsEnd === 0) this.#descriptorsEnd = syscalls.descriptorsEnd();
    const end = this.#descriptorsEnd;
    for (let fd = nth; fd < end; fd += of) {
      const known = knownPeer?.(fd);
      if (known !== undefined) {
        visit(fd, known);
        continue;
      }
      if (skip?.(fd)) continue;
      if (syscalls.localPort(fd) !== localPort) continue;
      const peer = syscalls.peerKey(fd);
      if (peer !== undefined) visit(fd, peer); // else it listens, or its connection is over
    }
  }

  #isTcp(fd: number): boolean {
    return this.#syscalls.getInt(SOCKET_OPTION.type, fd) === SOCK_STREAM;
  }

  /**
   * To dissolve the connection frees it at once, whatever waits to be sent. `shutdown` alone would
   * leave the kernel pushing that to a client that does not take it, and tells Deno the same; with
   * `SO_LINGER` 0 the rest is dropped as Deno closes the socket. It is for systems (sandboxes)
   * that cannot dissolve.
   */
  #abort(fd: number): boolean {
    if (this.#syscalls.disconnect(fd)) return true;
    this.#syscalls.setInts(SOCKET_OPTION.linger, fd, [1, 0]);
    return this.#syscalls.c.shutdown(fd, SHUT_RDWR) === 0;
  }
}

/** A part of a whole that is worked through in `of` parts; `nth` counts from 0. */
export interface Slice {
  readonly nth: number;
  readonly of: number;
}

function requireInt(name: string, value: number | undefined): void {
  if (value === undefined) return;
  if (Number.isInteger(value) && value > 0 && value <= MAX_INT) return;
  throw new RangeError(
    `Cannot tune a listener as '${name}' must be an integer from 1 to ${MAX_INT}: current value is ${value}`,
  );
}
