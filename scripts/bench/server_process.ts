import { lines } from "./lines.ts";
import { killAll, type ProcessIdentity, processTree } from "./process_tree.ts";

export interface ServerProcessOptions {
  /** The stream on which it tells where it listens. Default: standard output. */
  readonly speaksOn?: "stdout" | "stderr";
  /** Reads the port from a line; `undefined` if the line does not tell it. */
  readonly portIn?: (line: string) => number | undefined;
  /** What ends it when it is disposed of. Default: SIGKILL, as nothing is to be saved. */
  readonly endSignal?: Deno.Signal;
  readonly env?: Readonly<Record<string, string>>;
}

/** A server that does not listen after this long never will, in milliseconds. */
const START_MS = 20_000;

/** What a server may take to end once it was told to, in milliseconds. */
const END_MS = 10_000;

/** Lines kept of what a server says, to tell why it failed. */
const MOST_LINES = 20;

/** A server under measurement, in a process of its own. Ended when disposed of, with what it started. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #endSignal: Deno.Signal;
  readonly #said: string[] = [];
  readonly #reading: Promise<unknown>;
  readonly #listening = Promise.withResolvers<number>();
  /** As they were once it listened: whom a server leaves behind nobody finds by it. */
  #processes: ProcessIdentity[] = [];
  #port = 0;

  private constructor(child: Deno.ChildProcess, options: ServerProcessOptions) {
    const { speaksOn = "stdout", portIn = portInPlainLine, endSignal = "SIGKILL" } = options;
    this.#child = child;
    this.#endSignal = endSignal;
    this.#reading = Promise.all(
      (["stdout", "stderr"] as const).map(async (name) => {
        for await (const line of lines(child[name])) {
          this.#said.push(line);
          if (this.#said.length > MOST_LINES) this.#said.shift();
          const port = name === speaksOn ? portIn(line) : undefined;
          if (port !== undefined) this.#listening.resolve(port);
        }
      }),
    ).finally(() => this.#listening.reject(new Error(`a server ended: ${this.said}`)));
    this.#listening.promise.catch(() => {}); // told to whoever waits for it
  }

  /**
   * Starts a program and waits until it listens.
   *
   * @throws {Error} If it ends before, or takes too long.
   */
  static async start(
    [program = "", ...args]: readonly string[],
    options: ServerProcessOptions = {},
  ): Promise<ServerProcess> {
    const child = new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      ...(options.env === undefined ? {} : { env: { ...options.env } }),
    }).spawn();
    const server = new ServerProcess(child, options);
    const timer = setTimeout(
      () => server.#listening.reject(new Error(`a server does not listen: ${server.said}`)),
      START_MS,
    );
    try {
      server.#port = await server.#listening.promise;
      server.#processes = await processTree(server.pid);
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  get port(): number {
    return this.#port;
  }

  /** The last lines that it wrote. */
  get said(): string {
    return this.#said.join("\n");
  }

  /**
   * Waits for its end; its exit code, 128 and more if a signal killed it.
   *
   * @throws {Error} If it takes longer than `timeoutMs`.
   */
  async ended({ timeoutMs = END_MS }: { timeoutMs?: number } = {}): Promise<number> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error(`a server did not end within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    try {
      return (await Promise.race([this.#child.status, late.promise])).code;
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const processes = [...this.#processes, ...await processTree(this.pid)];
    this.#signal(this.#endSignal);
    try {
      await this.ended();
    } catch {
      this.#signal("SIGKILL");
    }
    await killAll(processes); // whoever lives on keeps its output open
    await this.#reading;
  }

  #signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // It has ended already.
    }
  }
}

/** The port in a line such as `listening 40123`. */
function portInPlainLine(line: string): number | undefined {
  const [, port] = /^listening (\d+)$/.exec(line) ?? [];
  return port === undefined ? undefined : Number(port);
}
