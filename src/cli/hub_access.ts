import { transportFailure } from "../rpc/transport_failure.ts";

/** How a command reaches its hub: the runtime's own ways, which may trust one authority more. */
export interface HubAccess extends Disposable {
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  readonly WebSocket: typeof WebSocket;
}

/** A certificate as PEM has it. */
const CERTIFICATE = /-----BEGIN CERTIFICATE-----/;

/**
 * Opens the ways to a hub; with `--ca` the authorities of that file are trusted as well. Says what
 * is wrong with the file.
 */
export function openAccess(
  ca: string | undefined,
  problems: string[],
): HubAccess {
  const client = ca === undefined ? undefined : clientTrusting(ca, problems);
  if (client === undefined) {
    return { fetch: (url, init) => fetch(url, init), WebSocket, [Symbol.dispose]() {} };
  }
  class TrustingWebSocket extends WebSocket {
    constructor(url: string | URL, protocols: string | string[] | WebSocketOptions = []) {
      const options = typeof protocols === "string" || Array.isArray(protocols)
        ? { protocols }
        : protocols;
      // Deno's own option; where the DOM's types are loaded as well, they do not know it.
      super(url, { ...options, client } as unknown as string[]);
    }
  }
  return {
    fetch: (url, init) => fetch(url, { ...init, client } as RequestInit),
    WebSocket: TrustingWebSocket,
    [Symbol.dispose]: () => client.close(),
  };
}

function clientTrusting(file: string, problems: string[]): Deno.HttpClient | undefined {
  const complain = (why: string) => {
    problems.push(
      `--ca: found ${JSON.stringify(file)}, ${why}; expected a file of PEM certificates`,
    );
    return undefined;
  };
  let pem: string;
  try {
    pem = Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return complain("which is not there");
    return complain("which cannot be read");
  }
  if (!CERTIFICATE.test(pem)) return complain("which holds no certificate");
  try {
    return Deno.createHttpClient({ caCerts: [pem] });
  } catch {
    return complain("whose certificates are damaged");
  }
}

/** Why a hub gave no answer, in words for whoever gave the address. */
export function whyUnreachable(error: unknown): string {
  return `cannot be reached: ${transportFailure(error)}`;
}
