/** What the kernel tells of one connection, as far as it is of use here. */
export interface TcpInfo {
  /**
   * Bytes received in the connection's life, whether or not the program has read them yet. Counts
   * all that went over TCP: the HTTP request, TLS records, frame headers.
   */
  readonly receivedBytes: number;
  /** Bytes sent in the connection's life that the peer has acknowledged. */
  readonly ackedBytes: number;
  /** Bytes written by the program and not sent yet; `undefined` on a kernel before 4.6. */
  readonly notSentBytes: number | undefined;
  /** Segments sent and not acknowledged yet. */
  readonly unackedSegments: number;
}

/** Room for the whole structure, and for what later kernels append to it. */
export const TCP_INFO_BYTES = 512;

/** Where the fields lie in `struct tcp_info` of `linux/tcp.h`, which only ever grows at its end. */
const UNACKED_AT = 24;
const BYTES_ACKED_AT = 120;
const BYTES_RECEIVED_AT = 128;
const NOTSENT_BYTES_AT = 144;

/**
 * Reads a `struct tcp_info`.
 *
 * @param length Bytes the kernel filled in: an older kernel gives a shorter structure.
 * @returns `undefined` if the kernel does not count received bytes (before 4.1).
 */
export function readTcpInfo(view: DataView, length: number): TcpInfo | undefined {
  const receivedBytes = readReceivedBytes(view, length);
  if (receivedBytes === undefined) return undefined;
  return {
    receivedBytes,
    ackedBytes: readBytes(view, BYTES_ACKED_AT),
    notSentBytes: length >= NOTSENT_BYTES_AT + 4
      ? view.getUint32(NOTSENT_BYTES_AT, true)
      : undefined,
    unackedSegments: view.getUint32(UNACKED_AT, true),
  };
}

/** The one field that is read of every connection at every sweep, without making an object. */
export function readReceivedBytes(view: DataView, length: number): number | undefined {
  return length < BYTES_RECEIVED_AT + 8 ? undefined : readBytes(view, BYTES_RECEIVED_AT);
}

/** The bytes acknowledged alone; `undefined` where the kernel does not count them (before 4.1). */
export function readAckedBytes(view: DataView, length: number): number | undefined {
  return length < BYTES_ACKED_AT + 8 ? undefined : readBytes(view, BYTES_ACKED_AT);
}

/** A count of 64 bits; exact up to 2^53: 9 petabytes through one connection. */
function readBytes(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}
