/** A socket option as `getsockopt` and `setsockopt` name it. */
export interface SocketOption {
  /** Its name in the manual pages, for messages. */
  readonly name: string;
  readonly level: number;
  readonly option: number;
}

const SOL_SOCKET = 1;
const IPPROTO_TCP = 6;

/** The socket options this house uses; the numbers are those of Linux on x86_64 and aarch64. */
export const SOCKET_OPTION = {
  /** What kind of socket it is; {@linkcode SOCK_STREAM} for TCP. */
  type: { name: "SO_TYPE", level: SOL_SOCKET, option: 3 },
  /** Bytes of send buffer. The kernel doubles what is set, and caps it at `net.core.wmem_max`. */
  sendBuffer: { name: "SO_SNDBUF", level: SOL_SOCKET, option: 7 },
  /** Bytes of receive buffer, likewise doubled, and capped at `net.core.rmem_max`. */
  receiveBuffer: { name: "SO_RCVBUF", level: SOL_SOCKET, option: 8 },
  /** What `close` does with unsent data: a pair of ints, on or off and seconds. */
  linger: { name: "SO_LINGER", level: SOL_SOCKET, option: 13 },
  /** 1 where other sockets of this user may listen on the same address. */
  reusePort: { name: "SO_REUSEPORT", level: SOL_SOCKET, option: 15 },
  /** 1 on a listening socket, else 0. */
  acceptsConnections: { name: "SO_ACCEPTCONN", level: SOL_SOCKET, option: 30 },
  /** A {@linkcode TcpInfo}. */
  tcpInfo: { name: "TCP_INFO", level: IPPROTO_TCP, option: 11 },
  /**
   * Milliseconds that sent data may stay unacknowledged, or that the peer's window may stay shut,
   * before the kernel ends the connection.
   */
  userTimeout: { name: "TCP_USER_TIMEOUT", level: IPPROTO_TCP, option: 18 },
  /**
   * Bytes that may wait to be sent before the socket counts as not writable; by default as many as
   * the number can say. So large values mean nothing, and can be told apart: a label.
   */
  notSentLowWater: { name: "TCP_NOTSENT_LOWAT", level: IPPROTO_TCP, option: 25 },
} as const satisfies Record<string, SocketOption>;

/** The value of `SO_TYPE` on a TCP socket. */
export const SOCK_STREAM = 1;
