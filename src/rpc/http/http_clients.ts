import { type ProxyEnvironment, proxyFor, type ProxySetting } from "./proxy.ts";

export interface HttpClientsOptions {
  /** Default: "none". */
  proxy?: ProxySetting;
  /** For `proxy: "environment"`. Default: none. */
  proxyEnvironment?: ProxyEnvironment;
}

/**
 * The runtime's clients of one user, one for each way to the outside that its addresses need:
 * straight, or through a proxy. There are at most three.
 *
 * Each request has a connection of its own. One that is kept may be closed by the server just when
 * it is used again; the runtime then sends the request anew by itself, and so a dead backend would
 * get more calls than the breaker knows of.
 *
 * @throws {RangeError} If the proxy's URL cannot be used.
 */
export class HttpClients implements Disposable {
  readonly #setting: ProxySetting;
  readonly #environment: ProxyEnvironment;
  readonly #clients = new Map<string | undefined, Deno.HttpClient>();

  constructor(options: HttpClientsOptions = {}) {
    const { proxy = "none", proxyEnvironment = {} } = options;
    this.#setting = proxy;
    this.#environment = proxyEnvironment;
    if (proxy !== "none" && proxy !== "environment") this.#open(proxy);
  }

  /** The client for an address, and the proxy it goes through, without credentials. */
  for(url: URL): { readonly client: Deno.HttpClient; readonly proxy?: string } {
    const proxy = proxyFor(url, this.#setting, this.#environment);
    const client = this.#clients.get(proxy) ?? this.#open(proxy);
    if (proxy === undefined) return { client };
    const shown = URL.parse(proxy);
    return { client, proxy: shown === null ? "a proxy" : `${shown.protocol}//${shown.host}` };
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  #open(proxy: string | undefined): Deno.HttpClient {
    const client = clientThrough(proxy);
    this.#clients.set(proxy, client);
    return client;
  }
}

function clientThrough(proxy: string | undefined): Deno.HttpClient {
  const options = { poolMaxIdlePerHost: 0 };
  if (proxy === undefined) return Deno.createHttpClient(options);
  try {
    return Deno.createHttpClient({ ...options, proxy: { url: proxy } });
  } catch {
    throw new RangeError(
      "Cannot create a backend as 'proxy' must be the URL of an http, https or socks5 proxy",
    );
  }
}
