/**
 * A client's address in its one form, and the group it is counted in: an IPv4 address by itself,
 * an IPv6 one by its /64, as one line of a provider's has that many to choose from.
 */
export interface ClientAddress {
  readonly address: string;
  readonly group: string;
}

const OCTET = "(?:0|[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-5])";
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
/** What a zone is called is a matter of the machine that says it. */
const ZONE = /%.*$/;

/**
 * Reads an address as proxies and operating systems write it: with or without a port, brackets,
 * quotes, a zone; IPv4 inside IPv6 is the IPv4 address. Undefined for anything else.
 *
 * @example
 * ```ts
 * parseClientAddress("[2001:DB8:0::1]:443"); // { address: "2001:db8::1", group: "2001:db8:0:0::/64" }
 * ```
 */
export function parseClientAddress(text: string): ClientAddress | undefined {
  const bare = text.trim().replace(/^"(.*)"$/, "$1");
  const [, v4] = /^([\d.]+)(?::\d{1,5})?$/.exec(bare) ?? [];
  if (v4 !== undefined) return IPV4.test(v4) ? { address: v4, group: v4 } : undefined;
  const [, bracketed] = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(bare) ?? [];
  return parseV6((bracketed ?? bare).replace(ZONE, ""));
}

function parseV6(text: string): ClientAddress | undefined {
  if (!/^[0-9A-Fa-f:.]{2,45}$/.test(text) || !text.includes(":")) return undefined;
  const url = URL.parse(`http://[${text}]`);
  if (url === null) return undefined;
  const address = url.hostname.slice(1, -1);
  const words = wordsOf(address);
  const [high = 0, low = 0] = words.slice(6);
  if (words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff) {
    const v4 = [high >> 8, high & 255, low >> 8, low & 255].join(".");
    return { address: v4, group: v4 };
  }
  const network = words.slice(0, 4).map((word) => word.toString(16)).join(":");
  return { address, group: `${network}::/64` };
}

/** The eight words of an IPv6 address that has no dotted part. */
function wordsOf(address: string): number[] {
  const [head = "", tail] = address.split("::");
  const read = (part: string) =>
    part === "" ? [] : part.split(":").map((word) => parseInt(word, 16));
  if (tail === undefined) return read(head);
  const [before, after] = [read(head), read(tail)];
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}
