import { onAbort } from "../resilience/on_abort.ts";
import type { WatchdogCheck } from "./watchdog.ts";

/** What is kept of an answer: its first line is all that counts. */
const HEAD_BYTES = 4096;

/**
 * A check of the way in: asks the hub's own `/healthz` over a connection of its own, so that the
 * listening socket must accept and the routes must answer. It speaks to the socket itself: `fetch`
 * would send the question to whatever proxy the environment names.
 *
 * @param url Where the hub listens, such as `http://0.0.0.0:8787`; asked for each time.
 */
export function acceptCheck(url: () => string): WatchdogCheck {
  return async (signal) => {
    const { hostname, port, isSecure } = targetOf(url());
    let connection: Deno.Conn;
    try {
      connection = await connect({ hostname, port, isSecure, signal });
    } catch (error) {
      signal.throwIfAborted();
      // That this process has no descriptor to ask with says nothing of the way in, and the hub
      // gets over it by itself.
      if (isAboutTheCertificate(error) || isAboutDescriptors(error)) return true;
      throw error;
    }
    using _stop = onAbort(signal, () => closeQuietly(connection));
    try {
      const status = await ask(connection, `${bracketed(hostname)}:${port}`);
      if (status === 200) return true;
      throw new Error(`/healthz answered ${status ?? "nothing that is HTTP"}`);
    } catch (error) {
      signal.throwIfAborted();
      if (isAboutTheCertificate(error)) return true;
      throw error;
    } finally {
      closeQuietly(connection);
    }
  };
}

interface ListenTarget {
  readonly hostname: string;
  readonly port: number;
  readonly isSecure: boolean;
}

/** The same port by loopback, for a hub that listens on every address of the machine. */
function targetOf(url: string): ListenTarget {
  const { hostname, port, protocol } = new URL(url);
  const isSecure = protocol === "https:";
  const address = hostname.replace(/^\[(.*)\]$/, "$1");
  const loopback = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  return { hostname: loopback, port: port === "" ? (isSecure ? 443 : 80) : Number(port), isSecure };
}

function bracketed(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

/** Connects, or fails with the signal; a connection that comes too late is closed. */
async function connect(target: ListenTarget & { signal: AbortSignal }): Promise<Deno.Conn> {
  const { hostname, port, isSecure, signal } = target;
  const connecting: Promise<Deno.Conn> = isSecure
    ? Deno.connectTls({ hostname, port, alpnProtocols: ["http/1.1"] })
    : Deno.connect({ hostname, port });
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  using _stop = onAbort(signal, () => {
    reject(signal.reason);
    connecting.then(closeQuietly, () => {});
  });
  try {
    return await Promise.race([connecting, aborted]);
  } finally {
    aborted.catch(() => {});
  }
}

/** The status of the answer; `undefined` if what came is none. */
async function ask(connection: Deno.Conn, host: string): Promise<number | undefined> {
  const request = `GET /healthz HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`;
  await writeAll(connection, new TextEncoder().encode(request));
  const head = new Uint8Array(HEAD_BYTES);
  let length = 0;
  while (length < head.length) {
    const read = await connection.read(head.subarray(length));
    if (read === null) break;
    length += read;
    const [, status] = /^HTTP\/1\.[01] (\d{3})[ \r]/.exec(
      new TextDecoder().decode(head.subarray(0, length)),
    ) ?? [];
    if (status !== undefined) return Number(status);
  }
  return undefined;
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await connection.write(rest));
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It was closed already.
  }
}

/**
 * The hub's certificate is made out for a name that we do not call it by, and perhaps by an
 * authority that only its clients know. That it was shown at all is what we ask for: the connection
 * was accepted and the handshake answered.
 */
function isAboutTheCertificate(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (/invalid peer certificate/i.test(each.message)) return true;
  }
  return false;
}

function isAboutDescriptors(error: unknown): boolean {
  return error instanceof Error && /too many open files/i.test(error.message);
}
