/** Internet addresses between the kernel's `sockaddr`, Deno's text, and one key for both. */

/** One end of a connection; `Deno.NetAddr` is one. */
export interface SocketAddress {
  /** An IPv4 or IPv6 address in numbers. */
  readonly hostname: string;
  readonly port: number;
}

/** Bytes of the largest `sockaddr` there is (`struct sockaddr_storage`). */
export const SOCKADDR_BYTES = 128;

const AF_INET = 2;
const AF_INET6 = 10;

/**
 * The key of an address: `192.0.2.1:80`, or `[2001:db8:0:0:0:0:0:1]:80`. Each address has one key,
 * however it is written: an IPv6 address is spelt out, an IPv4 one in an IPv6 socket
 * (`::ffff:192.0.2.1`) is that IPv4 one, and a zone (`%eth0`) is left out.
 *
 * A hostname that is not an address is kept as it stands; such a key matches no socket.
 */
export function addressKey(address: SocketAddress): string {
  const { hostname, port } = address;
  const groups = parseIpv6(hostname);
  return groups === undefined ? `${hostname}:${port}` : `${ipv6Text(groups)}:${port}`;
}

/** The port in a `sockaddr`; `undefined` if it is not an internet address. */
export function sockaddrPort(sockaddr: DataView): number | undefined {
  const family = sockaddr.getUint16(0, true);
  return family === AF_INET || family === AF_INET6 ? sockaddr.getUint16(2) : undefined;
}

/** The {@linkcode addressKey} of a `sockaddr`; `undefined` if it is not an internet address. */
export function sockaddrKey(sockaddr: DataView): string | undefined {
  switch (sockaddr.getUint16(0, true)) {
    case AF_INET:
      return `${ipv4Text(sockaddr.getUint32(4))}:${sockaddr.getUint16(2)}`;
    case AF_INET6: {
      const groups = Array.from({ length: 8 }, (_, i) => sockaddr.getUint16(8 + 2 * i));
      return `${ipv6Text(groups)}:${sockaddr.getUint16(2)}`;
    }
    default:
      return undefined;
  }
}

function ipv4Text(address: number): string {
  return `${address >>> 24}.${address >>> 16 & 255}.${address >>> 8 & 255}.${address & 255}`;
}

function ipv6Text(groups: readonly number[]): string {
  const [a, b, c, d, e, f, high = 0, low = 0] = groups;
  const isMapped = f === 0xffff && !(a || b || c || d || e);
  if (isMapped) return ipv4Text((high << 16 | low) >>> 0);
  return `[${groups.map((group) => group.toString(16)).join(":")}]`;
}

/** The eight groups of an IPv6 address; `undefined` if the text is none. */
function parseIpv6(text: string): number[] | undefined {
  const [address = ""] = text.split("%");
  if (!address.includes(":")) return undefined;
  const halves = address.split("::").map((half) => half === "" ? [] : parseGroups(half));
  const [left, right] = halves;
  if (left === undefined || halves.length > 2) return undefined;
  if (right === undefined) return left.length === 8 && left.every(isGroup) ? left : undefined;
  const gap = 8 - left.length - right.length;
  if (gap < 1) return undefined;
  const groups = [...left, ...new Array<number>(gap).fill(0), ...right];
  return groups.every(isGroup) ? groups : undefined;
}

/** Groups between colons; a dotted quad at the end is two of them, and nonsense is NaN. */
function parseGroups(text: string): number[] {
  return text.split(":").flatMap((group) => {
    if (/^[0-9a-f]{1,4}$/i.test(group)) return [parseInt(group, 16)];
    const quad = group.split(".").map((byte) => /^\d{1,3}$/.test(byte) ? Number(byte) : NaN);
    const [a = NaN, b = NaN, c = NaN, d = NaN] = quad;
    if (quad.length !== 4 || !quad.every((byte) => byte <= 255)) return [NaN];
    return [a << 8 | b, c << 8 | d];
  });
}

function isGroup(group: number): boolean {
  return !Number.isNaN(group);
}
