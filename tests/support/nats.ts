// @ts-types="../../src/std_types/delay.d.ts"
import { delay } from "@std/async/delay";
import type { CertifiedKey } from "./certificates.ts";
import { freePorts } from "./free_port.ts";
import { waitUntilHalted } from "./process_facts.ts";

const PROGRAM = "nats-server";

/** Debian puts it into the last one, which is not on everybody's path. */
const FOLDERS = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin"];

/** How often a server is asked whether it is ready yet, and how long for. Milliseconds. */
export const ASK_EVERY_MS = 20;
export const START_TIMEOUT_MS = 30_000;

/** How long one question may take: a stopped server never answers. Milliseconds. */
const ASK_TIMEOUT_MS = 2_000;

/** Lines kept of what a server says, for the error when it does not start. */
const KEPT_LINES = 50;

export interface NatsOptions {
  /** What clients have to log in with. Default: nothing. */
  login?: { readonly user: string; readonly password: string };
  /** Makes clients speak TLS. Default: plain. */
  tls?: CertifiedKey;
  /** Lets in only clients that show a certificate this one has signed; with `tls`. */
  clientsSignedBy?: CertifiedKey;
  /** What goes into the server's configuration beside that. */
  also?: object;
}

/** Where a server is, and how it reaches its neighbours if it has any. */
export interface NatsPlace {
  readonly name: string;
  readonly port: number;
  readonly monitorPort: number;
  readonly cluster?: { readonly listen: string; readonly routes: readonly string[] };
}

/**
 * Whether a nats-server is installed. On a build machine, where `CI` is set, it must be: there a test
 * that needs it fails instead of being left out.
 */
export function hasNatsServer(): boolean {
  if (Deno.env.get("CI") || programFile() !== undefined) return true;
  // deno-lint-ignore no-console -- whoever runs the tests should know what was left out
  console.warn(`${PROGRAM} is missing: tests that need it are left out (apt install nats-server)`);
  return false;
}

/**
 * A NATS server with JetStream on 127.0.0.1, its store in a temporary folder; its port and its store
 * stay the same when it is restarted. It is killed when disposed of, and nothing remains.
 *
 * @example
 * ```ts
 * await using nats = await NatsServer.start();
 * await nats.kill();
 * await nats.restart();
 * ```
 */
export class NatsServer implements AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly #monitorPort: number;
  readonly #folder = Deno.makeTempDirSync({ prefix: "holdfast-nats-" });
  readonly #isTls: boolean;
  readonly #said: string[] = [];
  #child: Deno.ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();

  /** Prepares a server and does not run it yet: see `start` and `NatsCluster.start`. */
  constructor({ name, port, monitorPort, cluster }: NatsPlace, options: NatsOptions) {
    const { login, tls, clientsSignedBy, also } = options;
    this.name = name;
    this.port = port;
    this.#monitorPort = monitorPort;
    this.#isTls = tls !== undefined;
    if (tls) {
      Deno.writeTextFileSync(this.caFile, tls.cert);
      Deno.writeTextFileSync(this.keyFile, tls.key);
    }
    if (clientsSignedBy) Deno.writeTextFileSync(this.#clientCaFile, clientsSignedBy.cert);
    const config = {
      server_name: name,
      listen: `127.0.0.1:${port}`,
      http: `127.0.0.1:${monitorPort}`,
      jetstream: { store_dir: this.#store },
      ...(login && { authorization: login }),
      ...(tls && {
        tls: {
          cert_file: this.caFile,
          key_file: this.keyFile,
          ...(clientsSignedBy && { ca_file: this.#clientCaFile, verify: true }),
        },
      }),
      // Clients are not told of the other servers: a test may want them to come through a proxy.
      ...(cluster && { cluster: { name: "tests", no_advertise: true, ...cluster } }),
      ...also,
    };
    Deno.writeTextFileSync(this.#configFile, JSON.stringify(config));
  }

  /** Runs a server that has no neighbours and waits until it is ready. */
  static async start(options: NatsOptions = {}): Promise<NatsServer> {
    const [port = 0, monitorPort = 0] = freePorts(2);
    const server = new NatsServer({ name: "n1", port, monitorPort }, options);
    try {
      await server.restart();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Its address for clients, without a login. */
  get url(): string {
    return `${this.#isTls ? "tls" : "nats"}://127.0.0.1:${this.port}`;
  }

  /** The file with the certificate that clients have to trust, if it speaks TLS. */
  get caFile(): string {
    return `${this.#folder}/cert.pem`;
  }

  /** The key to that certificate. */
  get keyFile(): string {
    return `${this.#folder}/key.pem`;
  }

  get #clientCaFile(): string {
    return `${this.#folder}/clients.pem`;
  }

  get #configFile(): string {
    return `${this.#folder}/nats.json`;
  }

  get #store(): string {
    return `${this.#folder}/store`;
  }

  /** Ends it without a word to anybody and waits until it is gone. */
  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await this.#ended;
  }

  /** Ends it in order and waits until it is gone. */
  async end(): Promise<void> {
    this.#signal("SIGTERM");
    await this.#ended;
  }

  /** Halts it: its connections stay open and say nothing any more. */
  stop(): void {
    this.#signal("SIGSTOP");
    if (this.#child) waitUntilHalted(this.#child.pid);
  }

  /** Lets a halted one go on. */
  cont(): void {
    this.#signal("SIGCONT");
  }

  /**
   * Runs it again, killing it first if it still runs, and waits until it is ready.
   *
   * @param options `wipe`: with an empty store.
   */
  async restart(options: { wipe?: boolean } = {}): Promise<void> {
    await this.kill();
    if (options.wipe) await Deno.remove(this.#store, { recursive: true });
    this.#run();
    await this.ready();
  }

  /** Waits until it serves, JetStream too; one with neighbours needs a majority of them for that. */
  async ready(): Promise<void> {
    const lateAt = performance.now() + START_TIMEOUT_MS;
    while (!await this.#isHealthy()) {
      if (this.#child === undefined) throw new Error(`${this.name} ended: ${this.#story()}`);
      if (performance.now() > lateAt) {
        throw new Error(`${this.name} is not ready: ${this.#story()}`);
      }
      await delay(ASK_EVERY_MS);
    }
  }

  /** What its monitor tells at a path such as `/varz`; fails if it does not answer. */
  async ask(path: string): Promise<unknown> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), ASK_TIMEOUT_MS);
    try {
      const url = `http://127.0.0.1:${this.#monitorPort}${path}`;
      const response = await fetch(url, { signal: late.signal });
      const text = await response.text();
      if (!response.ok) throw new Error(`${this.name} ${path}: ${response.status} ${text}`);
      return JSON.parse(text);
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.#folder, { recursive: true });
  }

  #run(): void {
    const child = new Deno.Command(programFile() ?? PROGRAM, {
      args: ["--config", this.#configFile],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    this.#said.length = 0;
    this.#ended = Promise.all([
      this.#listenTo(child.stderr),
      child.status.then(() => this.#child = undefined),
    ]);
  }

  #signal(signal: Deno.Signal): void {
    try {
      this.#child?.kill(signal);
    } catch {
      // It ended just now.
    }
  }

  async #isHealthy(): Promise<boolean> {
    try {
      await this.ask("/healthz");
      return true;
    } catch {
      return false;
    }
  }

  async #listenTo(stderr: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stderr.pipeThrough(new TextDecoderStream())) {
      this.#said.push(...text.trimEnd().split("\n"));
      this.#said.splice(0, this.#said.length - KEPT_LINES);
    }
  }

  #story(): string {
    return `it said\n${this.#said.join("\n")}`;
  }
}

function programFile(): string | undefined {
  return FOLDERS.map((folder) => `${folder}/${PROGRAM}`).find(isFile);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
