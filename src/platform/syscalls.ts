import { errnoName } from "./errno.ts";
import type { LibcLibrary } from "./libc_library.ts";
import { SOCKADDR_BYTES, sockaddrKey, sockaddrPort } from "./socket_address.ts";
import { SOCKET_OPTION, type SocketOption } from "./socket_options.ts";
import { TCP_INFO_BYTES } from "./tcp_info.ts";

/** How a call to the kernel ended. */
export type SyscallResult =
  | { readonly ok: true }
  /** `why` names the call and the error, such as `setsockopt TCP_USER_TIMEOUT: EBADF`. */
  | { readonly ok: false; readonly why: string };

const OK: SyscallResult = { ok: true };

/** Descriptors looked at if `/proc` does not tell how many there may be; higher ones go unseen. */
const DESCRIPTORS_IF_UNKNOWN = 65_536;

/** More than `/proc/self/status` has up to its `FDSize` line. */
const STATUS_BYTES = 1024;

/** Bytes read at a time. */
const CHUNK_BYTES = 65_536;

/** Every folder lists itself and the one above. */
const OWN_ENTRIES = 2;

const AF_UNSPEC = 0;
const O_CLOEXEC = 0o2000000;
const FIONREAD = 0x541bn;
const EBADF = 9;

/**
 * The calls themselves, one method a call, with the buffers they fill. The buffers are allocated
 * once: everything here is synchronous, and each result is read before the next call.
 */
export class Syscalls implements Disposable {
  readonly #library: LibcLibrary;
  readonly #errnoLocation: Deno.PointerValue;
  #isOpen = true;

  readonly #sockaddr = new Uint8Array(SOCKADDR_BYTES);
  readonly #sockaddrView = new DataView(this.#sockaddr.buffer);
  readonly #length = new Uint32Array(1);
  readonly #ints = new Int32Array(2);
  readonly #tcpInfo = new Uint8Array(TCP_INFO_BYTES);
  readonly #tcpInfoView = new DataView(this.#tcpInfo.buffer);
  readonly #unspecified = new Uint8Array(16).fill(AF_UNSPEC);

  /** @param library Owned from now on: closed when this is disposed of. */
  constructor(library: LibcLibrary) {
    this.#library = library;
    this.#errnoLocation = library.symbols.__errno_location(); // this thread's, for good
  }

  /**
   * The C functions.
   *
   * @throws {TypeError} If disposed of.
   */
  get c(): LibcLibrary["symbols"] {
    if (!this.#isOpen) throw new TypeError("Cannot call the C library as it was disposed of");
    return this.#library.symbols;
  }

  /** Whether calls and their errors arrive as they should: a wrong descriptor must be `EBADF`. */
  isSane(): boolean {
    this.#length[0] = SOCKADDR_BYTES;
    return this.c.getsockname(-1, this.#sockaddr, this.#length) === -1 && this.#errno() === EBADF;
  }

  /** The failure that the last call left in `errno`; ask before anything else is called. */
  failure(call: string): SyscallResult {
    return { ok: false, why: `${call}: ${errnoName(this.#errno())}` };
  }

  /** The port an internet socket is bound to; `undefined` for any other descriptor, or none. */
  localPort(fd: number): number | undefined {
    return this.#getsockname(fd) ? sockaddrPort(this.#sockaddrView) : undefined;
  }

  /** The address an internet socket is bound to, as a key. */
  localKey(fd: number): string | undefined {
    return this.#getsockname(fd) ? sockaddrKey(this.#sockaddrView) : undefined;
  }

  /** The address a connected internet socket's peer has, as a key. */
  peerKey(fd: number): string | undefined {
    this.#length[0] = SOCKADDR_BYTES;
    return this.c.getpeername(fd, this.#sockaddr, this.#length) === 0
      ? sockaddrKey(this.#sockaddrView)
      : undefined;
  }

  /** The value of an option that is one int; `undefined` if it cannot be had. */
  getInt({ level, option }: SocketOption, fd: number): number | undefined {
    this.#length[0] = 4;
    return this.c.getsockopt(fd, level, option, this.#ints, this.#length) === 0
      ? this.#ints[0]
      : undefined;
  }

  /** Sets an option of one int, or of two. */
  setInts(
    { name, level, option }: SocketOption,
    fd: number,
    values: readonly number[],
  ): SyscallResult {
    this.#ints.set(values);
    return this.c.setsockopt(fd, level, option, this.#ints, 4 * values.length) === 0
      ? OK
      : this.failure(`setsockopt ${name}`);
  }

  /** `TCP_INFO`, good until the next call: `read` gets the structure and how much of it is set. */
  tcpInfo<T>(fd: number, read: (view: DataView, length: number) => T): T | undefined {
    const { level, option } = SOCKET_OPTION.tcpInfo;
    this.#length[0] = TCP_INFO_BYTES;
    return this.c.getsockopt(fd, level, option, this.#tcpInfo, this.#length) === 0
      ? read(this.#tcpInfoView, this.#length[0])
      : undefined;
  }

  /** Bytes received and not read by the program yet. */
  unreadBytes(fd: number): number | undefined {
    return this.c.ioctl(fd, FIONREAD, this.#ints) === 0 ? this.#ints[0] : undefined;
  }

  /** Dissolves a TCP connection: its peer gets a reset, and what was unsent is forgotten. */
  disconnect(fd: number): boolean {
    return this.c.connect(fd, this.#unspecified, this.#unspecified.length) === 0;
  }

  /**
   * A number above every descriptor of this process: the size of the kernel's table of them, which
   * follows the most ever open at once. (The limit says little: it may be a billion.)
   */
  descriptorsEnd(): number {
    const text = this.readFile("/proc/self/status", STATUS_BYTES);
    if (text === undefined) return DESCRIPTORS_IF_UNKNOWN;
    const [, size] = /^FDSize:\s*(\d+)$/m.exec(text) ?? [];
    return size === undefined ? DESCRIPTORS_IF_UNKNOWN : Number(size);
  }

  /** The beginning of a file as text, up to `maxBytes`; `undefined` if it cannot be read. */
  readFile(path: string, maxBytes: number): string | undefined {
    const fd = this.c.open(new TextEncoder().encode(`${path}\0`), O_CLOEXEC);
    if (fd === -1) return undefined;
    const decoder = new TextDecoder();
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, maxBytes));
    let text = "";
    // The kernel makes these files as they are read: only an empty read is their end.
    for (let left = maxBytes; left > 0;) {
      const read = Number(this.c.read(fd, chunk, BigInt(Math.min(left, chunk.length))));
      if (read <= 0) break;
      text += decoder.decode(chunk.subarray(0, read), { stream: true });
      left -= read;
    }
    this.c.close(fd);
    return text + decoder.decode();
  }

  /** How many entries a folder has; `undefined` if it cannot be read. */
  countEntries(path: string): number | undefined {
    const { getdents64 } = this.c;
    if (getdents64 === null) return undefined;
    const fd = this.c.open(new TextEncoder().encode(`${path}\0`), O_CLOEXEC);
    if (fd === -1) return undefined;
    const chunk = new Uint8Array(CHUNK_BYTES);
    const view = new DataView(chunk.buffer);
    let entries = 0;
    let read = Number(getdents64(fd, chunk, BigInt(chunk.length)));
    while (read > 0) {
      // struct linux_dirent64 (getdents(2)): its own length lies behind two numbers of 8 bytes.
      for (let at = 0; at < read; at += Math.max(1, view.getUint16(at + 16, true))) entries += 1;
      read = Number(getdents64(fd, chunk, BigInt(chunk.length)));
    }
    this.c.close(fd);
    return read === 0 ? entries - OWN_ENTRIES : undefined;
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#library.close();
  }

  /** Copied by the library itself: Deno's own views of memory want `--allow-ffi` for all of it. */
  #errno(): number {
    if (this.#errnoLocation === null) return 0;
    this.c.memcpy(this.#ints, this.#errnoLocation, 4n);
    return this.#ints[0] ?? 0;
  }

  #getsockname(fd: number): boolean {
    this.#length[0] = SOCKADDR_BYTES;
    return this.c.getsockname(fd, this.#sockaddr, this.#length) === 0;
  }
}
