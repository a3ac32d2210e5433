import type { Config } from "../../config/schema.ts";
import { logOf } from "../../telemetry/log.ts";

type Server = Deno.HttpServer<Deno.NetAddr>;
type Address = Pick<Config, "listen" | "tls" | "cluster">;

export interface ListenersOptions {
  handler: Deno.ServeHandler;
  /** A socket has begun to listen; called before anybody is told of it. */
  onListening: (address: Deno.NetAddr) => void;
  /**
   * Has the socket that `open` opens take over from the one that listens; false if it cannot. If
   * `open` throws, the old one listens on.
   */
  handOver: (open: () => void, isShared: boolean) => boolean;
}

interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * The socket the hub listens on. The runtime cannot change the certificate of a listening socket,
 * and to shut its server down would end its connections, so for a new certificate a second one
 * begins to listen beside the first, that one lets go of the port, and its server only sees its
 * connections to their end.
 */
export class Listeners {
  readonly #options: ListenersOptions;
  #server: Server | undefined;
  #certificate: Certificate | undefined;
  #url = "";
  /** Whether other hubs on this machine may listen on the same port. */
  #isShared = false;
  /** What listened before; their connections may live on. One for each certificate there was. */
  readonly #retired = new Set<Server>();

  constructor(options: ListenersOptions) {
    this.#options = options;
  }

  /** Where the hub can be reached. */
  get url(): string {
    return this.#url;
  }

  /**
   * Begins to listen.
   *
   * @throws {Deno.errors.AddrInUse} If the address is taken; other {@linkcode Deno.errors} if it
   * cannot be listened on.
   * @throws {TypeError} If the certificate cannot be used.
   */
  async listen({ listen, tls, cluster }: Address): Promise<void> {
    this.#isShared = cluster?.share_port ?? false;
    const certificate = tls && await readCertificate(tls);
    this.#server = this.#serve(listen, certificate);
    this.#certificate = certificate;
    const { hostname, port } = this.#server.addr;
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    this.#url = `${certificate ? "https" : "http"}://${host}:${port}`;
  }

  /**
   * Reads the certificate again and, if it has changed, uses it for new connections.
   *
   * @throws {TypeError} If it cannot be used: then the old one stays.
   * @throws {Deno.errors.AddrInUse} If the port cannot be had a second time: then, too.
   */
  async renew({ tls }: Pick<Address, "tls">): Promise<void> {
    if (this.#certificate === undefined || tls === undefined) return; // a matter for a restart
    const certificate = await readCertificate(tls);
    const { cert, key } = this.#certificate;
    if (certificate.cert === cert && certificate.key === key) return;
    const old = this.#server;
    if (old === undefined) return;
    const { addr } = old;
    tryCertificate(addr.hostname, certificate);
    const open = () => {
      this.#server = this.#serve(addr, certificate, { besideAnother: true });
    };
    if (!this.#options.handOver(open, this.#isShared)) {
      logOf("server").warning("tls.not_renewed", {
        why: "without the C library, only by a restart",
      });
      return;
    }
    old.finished.catch(() => {}); // it cannot accept any more, which is what was asked for
    this.#retired.add(old);
    this.#certificate = certificate;
    logOf("server").info("tls.renewed", { url: this.#url });
  }

  /** Stops listening; resolves once every connection has ended. */
  async close(): Promise<void> {
    const retired = [...this.#retired].map((server) => server.shutdown().catch(() => {}));
    await Promise.all([this.#server?.shutdown(), ...retired]);
  }

  #serve(
    { hostname, port }: { hostname: string; port: number },
    certificate: Certificate | undefined,
    { besideAnother }: { besideAnother: boolean } = { besideAnother: false },
  ): Server {
    const { handler, onListening } = this.#options;
    const reusePort = this.#isShared || besideAnother;
    let server: Server;
    try {
      const options = { hostname, port, reusePort, onListen() {} };
      server = certificate
        ? Deno.serve({ ...options, ...certificate }, handler)
        : Deno.serve(options, handler);
    } catch (error) {
      if (certificate && !isAboutTheAddress(error)) throw unusable("tls");
      throw error;
    }
    onListening(server.addr);
    return server;
  }
}

/**
 * Finds out whether a certificate can be used, on a port nobody knows.
 *
 * @throws {TypeError} If it cannot.
 */
function tryCertificate(hostname: string, certificate: Certificate): void {
  try {
    Deno.listenTls({ hostname, port: 0, ...certificate }).close();
  } catch {
    throw unusable("tls");
  }
}

function isAboutTheAddress(error: unknown): boolean {
  return error instanceof Deno.errors.AddrInUse || error instanceof Deno.errors.AddrNotAvailable ||
    error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable;
}

async function readCertificate(tls: NonNullable<Address["tls"]>): Promise<Certificate> {
  const cert = await readPem("tls.cert", tls.cert);
  const key = await readPem("tls.key", tls.key);
  return { cert, key };
}

async function readPem(path: string, file: string): Promise<string> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch {
    throw new TypeError(`Cannot use ${path} as the file ${file} cannot be read`);
  }
  if (text.includes("-----BEGIN ")) return text;
  throw new TypeError(`Cannot use ${path} as the file ${file} is not PEM ("-----BEGIN …")`);
}

function unusable(path: string): TypeError {
  return new TypeError(
    `Cannot use ${path} as certificate and private key are not valid or do not belong together`,
  );
}
