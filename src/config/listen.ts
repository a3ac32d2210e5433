import * as z from "zod";

/** Where to listen. */
export interface Listen {
  /** A host name or an IP address; an IPv6 address without its brackets. */
  readonly hostname: string;
  /** 0 lets the system choose one. */
  readonly port: number;
}

const EXPECTED = `HOST:PORT, such as "127.0.0.1:8787", "0.0.0.0:8787" (every IPv4 address), ` +
  `"[::]:8787" (every address) or "localhost:0" (a port of the system's choice)`;

/** A host (an IPv6 address in brackets), a colon, a port. */
const LISTEN =
  /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})?)):([0-9]{1,5})$/;

/**
 * Reads `HOST:PORT`; `undefined` if it is none. The host is never optional: a bare `:8787` would
 * open the hub to every network by the leaving out of a word.
 */
export function parseListen(text: string): Listen | undefined {
  const [, v6, name, digits] = LISTEN.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65535) return undefined;
  if (v6 !== undefined) {
    return URL.canParse(`http://[${v6}]`) ? { hostname: v6, port } : undefined;
  }
  if (name === undefined || !URL.canParse(`http://${name}`)) return undefined;
  return { hostname: name, port };
}

/** Writes an address as {@linkcode parseListen} reads it. */
export function formatListen({ hostname, port }: Listen): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

export const listenSchema = z.string({ error: EXPECTED })
  .regex(LISTEN, { error: EXPECTED, abort: true })
  .refine((text) => parseListen(text) !== undefined, { error: EXPECTED })
  .transform((text): Listen => parseListen(text) ?? { hostname: "127.0.0.1", port: 0 });
