/** Through which proxy requests go, if any. */

/** How a backend is reached: `"none"`, `"environment"`, or a proxy's URL. */
export type ProxySetting = "none" | "environment" | (string & Record<never, never>);

/** What the environment says of proxies, in the variables' own syntax. */
export interface ProxyEnvironment {
  /** `http_proxy`: for `http://` addresses. */
  readonly http?: string;
  /** `https_proxy`. */
  readonly https?: string;
  /** `all_proxy`: where there is none of the other two. */
  readonly all?: string;
  /** `no_proxy`: hosts that are reached without. */
  readonly no?: string;
}

const VARIABLES = {
  http: "http_proxy",
  https: "https_proxy",
  all: "all_proxy",
  no: "no_proxy",
} as const satisfies Record<keyof ProxyEnvironment, string>;

/** Reads the proxy variables; of two spellings the small letters count. */
export function proxyEnvironmentOf(
  env: Readonly<Record<string, string | undefined>>,
): ProxyEnvironment {
  const entries = Object.entries(VARIABLES)
    .map(([name, variable]) => [name, env[variable] || env[variable.toUpperCase()]])
    .filter(([, value]) => value);
  return Object.fromEntries(entries);
}

/**
 * Takes the proxy variables out of the process' environment. The runtime itself sends every
 * request where they say, those to loopback addresses and whatever headers they carry included;
 * from here on only a backend that was told to uses them. To be called before the first request.
 */
export function forgetProxyVariables(env: { delete(name: string): void }): void {
  for (const variable of Object.values(VARIABLES)) {
    env.delete(variable);
    env.delete(variable.toUpperCase());
  }
}

/**
 * Has the runtime reach loopback addresses without a proxy, whatever the variables say: for the
 * commands that are given an address and follow the variables to it.
 */
export function exemptLoopback(env: {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
}): void {
  const exempt = [env.get("no_proxy") || env.get("NO_PROXY"), ...LOOPBACK].filter(Boolean).join(
    ",",
  );
  for (const variable of [VARIABLES.no, VARIABLES.no.toUpperCase()]) env.set(variable, exempt);
}

const LOOPBACK = ["localhost", "127.0.0.0/8", "::1"] as const;

/** The proxy's URL for a request; `undefined` is straight to the address. */
export function proxyFor(
  url: URL,
  setting: ProxySetting,
  environment: ProxyEnvironment = {},
): string | undefined {
  if (setting === "none" || isLoopback(url.hostname)) return undefined;
  if (setting !== "environment") return setting;
  if (isExempt(url, environment.no ?? "")) return undefined;
  const proxy = (url.protocol === "https:" ? environment.https : environment.http) ??
    environment.all;
  if (proxy === undefined) return undefined;
  // `proxy:3128` is usual in these variables.
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
}

/** Whether a host of a URL is this machine by its very name. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/\.$/, "");
  return host === "localhost" || host.endsWith(".localhost") ||
    /^127\.\d+\.\d+\.\d+$/.test(host) ||
    host === "[::1]" || /^\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\]$/.test(host);
}

/**
 * Whether `no_proxy` exempts an address: `*`, or a list of hosts and domains (`example.com` and
 * `.example.com` both mean the domain and all below it), each perhaps with a port, and of IPv4
 * networks such as `10.0.0.0/8`.
 */
function isExempt(url: URL, noProxy: string): boolean {
  const host = url.hostname.toLowerCase().replace(/^\[|\]$/g, "").replace(/\.$/, "");
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return noProxy.split(/[\s,]+/).some((each) => {
    const entry = each.toLowerCase();
    if (entry === "") return false;
    if (entry === "*") return true;
    const [, network, bits] = /^([\d.]+)\/(\d{1,2})$/.exec(entry) ?? [];
    if (network !== undefined) return isInNetwork(host, network, Number(bits));
    const [, name = "", entryPort] =
      /^\[?(.*?)\]?(?::(\d+))?$/.exec(entry.includes("::") ? `[${entry}]` : entry) ?? [];
    if (entryPort !== undefined && entryPort !== port) return false;
    const domain = name.replace(/^\*?\./, "");
    return host === domain || host.endsWith(`.${domain}`);
  });
}

function isInNetwork(host: string, network: string, bits: number): boolean {
  const [address, base] = [ipv4(host), ipv4(network)];
  if (address === undefined || base === undefined || bits > 32) return false;
  const size = 2 ** (32 - bits);
  return Math.floor(address / size) === Math.floor(base / size);
}

function ipv4(text: string): number | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined;
  return text.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);
}
