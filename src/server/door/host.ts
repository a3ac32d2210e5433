/** `host` or `host:port`, as a `Host` header may say it (RFC 9110 section 7.2), and nothing else. */
const AUTHORITY =
  /^(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}))(?::[0-9]{0,5})?$/;

/** Whether a text is `host` or `host:port`. */
export function isAuthority(text: string): boolean {
  return AUTHORITY.test(text) && URL.canParse(`http://${text}`);
}

export interface ServedHosts {
  /** Host names that are answered, in lower case; besides the ones that always are. */
  readonly hosts: readonly string[];
  /** The machine's own name; undefined where it is not known. */
  readonly machine: string | undefined;
}

const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/;

/**
 * Whether a hub without `auth` answers under this name: under an IP address, `localhost`, the
 * machine's own name and those listed. Under any other a page of a stranger could reach it, whose
 * name was made to lead here once the page was loaded (DNS rebinding).
 *
 * @param authority `host` or `host:port`, as {@linkcode isAuthority} takes it.
 */
export function isHostServed(authority: string, { hosts, machine }: ServedHosts): boolean {
  // The URL's form of it: an address spelt in another way becomes the address that it is.
  const host = new URL(`http://${authority}`).hostname.toLowerCase().replace(/\.$/, "");
  if (host.startsWith("[") || IPV4.test(host)) return true;
  if (host === "localhost" || host.endsWith(".localhost")) return true;
  const own = machine?.toLowerCase();
  if (own !== undefined && (host === own || host === own.split(".", 1)[0])) return true;
  return hosts.includes(host);
}

/** The machine's own name; undefined where this process may not know it. */
export function machineName(): string | undefined {
  try {
    return Deno.hostname();
  } catch {
    return undefined;
  }
}
