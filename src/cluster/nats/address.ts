import {
  type Authenticator,
  type ConnectionOptions,
  credsAuthenticator,
  nkeyAuthenticator,
} from "@nats-io/nats-core";

export interface NatsAddress {
  /** Servers of one NATS cluster, as `nats://[user[:password]@]host[:port]`; `tls://` encrypts. */
  readonly servers: readonly string[];
  /** PEM file of the authority that signed the servers' certificates. Default: the system's. */
  readonly ca?: string;
  /** PEM files of the client's own certificate and its key, for servers that ask for one. */
  readonly cert?: string;
  readonly key?: string;
  /** File with a user's JWT and seed, as NATS' tools write it. Read at each connection. */
  readonly credentials?: string;
  /** Seed of a user's nkey. */
  readonly nkey?: string;
}

/** A server that does not answer a connection within this time, in milliseconds, is out of reach. */
export const CONNECT_TIMEOUT_MS = 2000;

/** Pings in milliseconds, and how many may stay unanswered: a dead link is found in three seconds. */
const PING_EVERY_MS = 1000;
const MAX_PINGS_OUT = 2;

/**
 * Options for the client. It does not reconnect by itself: the hub has to know of every loss, for
 * it has to find its place in the stream again.
 */
export function connectionOptions(address: NatsAddress, name: string): ConnectionOptions {
  const urls = address.servers.map((server) => new URL(server));
  const [first] = urls;
  const { username = "", password = "" } = first ?? {};
  const isEncrypted = urls.some(({ protocol }) => protocol === "tls:");
  return {
    name,
    servers: urls.map(({ host, hostname, port }) => port === "" ? `${hostname}:4222` : host),
    reconnect: false,
    timeout: CONNECT_TIMEOUT_MS,
    pingInterval: PING_EVERY_MS,
    maxPingOut: MAX_PINGS_OUT,
    // A user without a password is a token, as NATS' own tools read it.
    ...(username === ""
      ? {}
      : password === ""
      ? { token: decodeURIComponent(username) }
      : { user: decodeURIComponent(username), pass: decodeURIComponent(password) }),
    tls: isEncrypted ? filesOf(address) : null,
  };
}

/**
 * What shows who the hub is, beside a login in the address.
 *
 * @throws {Error} If the file of credentials cannot be read, or the seed is none.
 */
export async function readLogin(
  { credentials, nkey }: NatsAddress,
): Promise<{ authenticator?: Authenticator }> {
  const encoder = new TextEncoder();
  if (credentials !== undefined) {
    // Read anew each time, as they are replaced when they run out.
    return { authenticator: credsAuthenticator(await Deno.readFile(credentials)) };
  }
  return nkey === undefined ? {} : { authenticator: nkeyAuthenticator(encoder.encode(nkey)) };
}

function filesOf({ ca, cert, key }: NatsAddress): NonNullable<ConnectionOptions["tls"]> {
  return {
    ...(ca === undefined ? {} : { caFile: ca }),
    ...(cert === undefined ? {} : { certFile: cert }),
    ...(key === undefined ? {} : { keyFile: key }),
  };
}
