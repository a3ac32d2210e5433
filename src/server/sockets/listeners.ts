import type { Config } from "../../config/schema.ts";
import type { Clock } from "../../resilience/clock.ts";
import { type Log, logOf } from "../../telemetry/log.ts";

type Server = Deno.HttpServer<Deno.NetAddr>;
type Address = Pick<Config, "listen" | "tls" | "cluster">;

export interface ListenersOptions {
  clock: Clock;
  handler: Deno.ServeHandler;
  /** Told of an error that ends the body of an answer. Default: the runtime prints it. */
  onError?: (error: unknown) => Response;
  /** Whether other threads of this process listen on the same port. Default: none does. */
  isShared?: boolean;
  /** A socket has begun to listen; called before anybody is told of it. */
  onListening: (address: Deno.NetAddr) => void;
  /**
   * Has the socket that `open` opens take over from the one that listens; false if it cannot. If
   * `open` throws, the old one listens on.
   */
  handOver: (open: () => void, isShared: boolean) => boolean;
  /** Whether a socket of ours listens; undefined if that cannot be told. */
  isListening: () => boolean | undefined;
  /** The listening socket has ended by itself. */
  onLost: () => void;
  /** Whether there is room to listen again. */
  mayReopen: () => boolean;
}

/** Time between two looks at a listening socket, and at one that is lost, in milliseconds. */
const LOOK_EVERY_MS = 400;
const LOST_LOOK_EVERY_MS = 100;
/** The longest time between two tries to open it again, in milliseconds. */
const MAX_PAUSE_MS = 1000;

/** A listening socket that has ended by itself. */
interface Lost {
  readonly sinceMs: number;
  readonly address: { hostname: string; port: number };
  tries: number;
  /** The next try is due then. */
  dueMs: number;
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
 *
 * Any error of accepting ends the runtime's listening socket for good (to have no descriptor left is
 * one): then another one is opened, as soon as there is room for it.
 */
export class Listeners {
  readonly #options: ListenersOptions;
  readonly #log: Log = logOf("server");
  #server: Server | undefined;
  #lost: Lost | undefined;
  #isClosed = false;
  #certificate: Certificate | undefined;
  #url = "";
  /** Whether others on this machine may listen on the same port. */
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
    this.#isShared = this.#options.isShared ?? cluster?.share_port ?? false;
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
    if (old === undefined) { // the next one to be opened shows it
      if (this.#lost === undefined) return;
      tryCertificate(this.#lost.address.hostname, certificate);
      this.#certificate = certificate;
      return;
    }
    const { addr } = old;
    tryCertificate(addr.hostname, certificate);
    const open = () => {
      this.#server = this.#serve(addr, certificate, { besideAnother: true });
    };
    if (!this.#options.handOver(open, this.#isShared)) {
      this.#log.warning("tls.not_renewed", {
        why: "without the C library, only by a restart",
      });
      return;
    }
    this.#retired.add(old);
    this.#certificate = certificate;
    this.#log.info("tls.renewed", { url: this.#url });
  }

  /** Looks after the listening socket until aborted: one that has ended is opened again. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, isListening } = this.#options;
    try {
      for (;;) {
        const everyMs = this.#lost === undefined ? LOOK_EVERY_MS : LOST_LOOK_EVERY_MS;
        await clock.sleep(everyMs, { signal, together: true });
        if (this.#server !== undefined && isListening() === false) {
          this.#onLost(this.#server, "it does not listen any more");
        }
        if (this.#lost !== undefined) this.#reopen(this.#lost);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Stops listening; resolves once every connection has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#lost = undefined;
    const all = [...this.#retired, ...(this.#server ? [this.#server] : [])];
    await Promise.all(all.map((server) => server.shutdown().catch(() => {})));
  }

  /** A server has ended, or its socket has. */
  #onLost(server: Server, why: string): void {
    if (server !== this.#server || this.#isClosed) return; // which was asked for
    const { clock, onLost } = this.#options;
    this.#server = undefined;
    this.#retired.add(server);
    const sinceMs = clock.now();
    this.#lost = { sinceMs, address: server.addr, tries: 0, dueMs: sinceMs };
    onLost();
    this.#log.error("listener.lost", {
      why,
      effect: "no new connections until it is opened again; connected clients stay",
    });
  }

  #reopen(lost: Lost): void {
    const { clock, mayReopen } = this.#options;
    if (clock.now() < lost.dueMs || !mayReopen()) return;
    lost.tries += 1;
    lost.dueMs = clock.now() + Math.min(MAX_PAUSE_MS, LOST_LOOK_EVERY_MS * 2 ** lost.tries);
    try {
      this.#server = this.#serve(lost.address, this.#certificate);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (lost.tries === 1) this.#log.warning("listener.not_reopened", { why });
      return;
    }
    this.#lost = undefined;
    this.#log.info("listener.reopened", {
      url: this.#url,
      lost_for_ms: Math.round(clock.now() - lost.sinceMs),
    });
  }

  #serve(
    { hostname, port }: { hostname: string; port: number },
    certificate: Certificate | undefined,
    { besideAnother }: { besideAnother: boolean } = { besideAnother: false },
  ): Server {
    const { handler, onError, onListening } = this.#options;
    const reusePort = this.#isShared || besideAnother;
    let server: Server;
    try {
      const options = {
        hostname,
        port,
        reusePort,
        onListen() {},
        ...(onError ? { onError } : {}),
      };
      server = certificate
        ? Deno.serve({ ...options, ...certificate }, handler)
        : Deno.serve(options, handler);
    } catch (error) {
      if (certificate && !isAboutTheAddress(error)) throw unusable("tls");
      throw error;
    }
    server.finished.then(
      () => this.#onLost(server, "it has ended"),
      (error) => this.#onLost(server, error instanceof Error ? error.message : String(error)),
    );
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
    // To open a pipe would wait for whoever writes into it.
    if (!(await Deno.stat(file)).isFile) throw new TypeError("no regular file");
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
