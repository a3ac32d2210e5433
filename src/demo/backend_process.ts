import type { Clock } from "../resilience/clock.ts";
import { type Log, logOf } from "../telemetry/log.ts";

export interface BackendProcessOptions {
  clock: Clock;
  /** The program and its arguments, to listen on this port; 0 lets the system choose. */
  command: (port: number) => { readonly program: string; readonly args: readonly string[] };
  /** Called when the process ended without having been asked to by {@linkcode BackendProcess}. */
  onDeath?: (how: string) => void;
}

/** How long the process may take until it listens, in milliseconds. */
const START_DEADLINE_MS = 20_000;

/** How long it may take to end before it is killed, in milliseconds. */
const STOP_DEADLINE_MS = 4000;

/** Longest output looked at for the address, in characters; what follows is not read for that. */
const MAX_ANNOUNCEMENT = 4096;

/** What it says when it listens. */
const ANNOUNCEMENT = /\b(http:\/\/[^\s/]+)\/rpc\b/;

interface Running {
  readonly child: Deno.ChildProcess;
  readonly ended: Promise<Deno.CommandStatus>;
}

/**
 * The demo backend in a process of its own, which can die and be brought back on the same port.
 * Its standard input is a pipe that nothing is written to: the process stops when that closes, so
 * that it cannot outlive this one, however that ends.
 */
export class BackendProcess implements AsyncDisposable {
  readonly #options: BackendProcessOptions;
  readonly #log: Log = logOf("demo");
  #running: Running | undefined;
  #starting: Promise<void> | undefined;
  #url = "";
  #isStopping = false;

  constructor(options: BackendProcessOptions) {
    this.#options = options;
  }

  /** Where it listens, or did; empty before the first start. */
  get url(): string {
    return this.#url;
  }

  /** `undefined` while it does not run. */
  get pid(): number | undefined {
    return this.#running?.child.pid;
  }

  /**
   * Starts it if it does not run, and waits until it listens.
   *
   * @throws {TypeError} If it does not come to that; the message is for users.
   */
  start(): Promise<void> {
    if (this.#isStopping || this.#running !== undefined) return this.#starting ?? Promise.resolve();
    return this.#starting ??= this.#start().finally(() => this.#starting = undefined);
  }

  /** Kills it at once, as an accident would. */
  kill(): void {
    try {
      this.#running?.child.kill("SIGKILL");
    } catch {
      // It ended just now.
    }
  }

  /** Asks it to stop, and kills it if it takes too long. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    const { clock } = this.#options;
    const running = this.#running;
    if (running === undefined) return;
    await running.child.stdin.close().catch(() => {}); // it may have died
    const patience = new AbortController();
    void clock.sleep(STOP_DEADLINE_MS, { signal: patience.signal }).then(
      () => this.kill(),
      () => {},
    );
    await running.ended;
    patience.abort();
  }

  async #start(): Promise<void> {
    const port = this.#url === "" ? 0 : Number(new URL(this.#url).port);
    const { program, args } = this.#options.command(port);
    const child = spawn(program, args);
    const running = { child, ended: child.status };
    this.#running = running;
    void running.ended.then(({ code, signal }) => this.#noteEnd(running, code, signal));
    const url = await this.#announced(running);
    if (url === undefined) {
      this.kill();
      await running.ended;
      throw new TypeError("the demo backend did not start; what it said is above");
    }
    this.#url = url;
    this.#log.info("backend.started", { pid: child.pid, url });
  }

  /** The address it announces; `undefined` if it ends or takes too long before. */
  async #announced({ child, ended }: Running): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    void readAnnouncement(child.stdout, resolve);
    const patience = new AbortController();
    const { clock } = this.#options;
    try {
      return await Promise.race([
        promise,
        ended.then(() => undefined),
        clock.sleep(START_DEADLINE_MS, patience).then(() => undefined),
      ]);
    } finally {
      patience.abort();
    }
  }

  #noteEnd(running: Running, code: number, signal: Deno.Signal | null): void {
    if (this.#running === running) this.#running = undefined;
    void running.child.stdin.close().catch(() => {}); // nobody is there to read any more
    const how = signal === null ? `ended with exit code ${code}` : `was killed by ${signal}`;
    this.#log.info("backend.ended", { pid: running.child.pid, how });
    if (!this.#isStopping && this.#starting === undefined) this.#options.onDeath?.(how);
  }
}

function spawn(program: string, args: readonly string[]): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args: [...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
  } catch (error) {
    const isDenied = error instanceof Deno.errors.NotCapable;
    const why = isDenied ? "this process needs --allow-run" : "the system refuses another process";
    throw new TypeError(`the demo backend cannot be run: ${why}`);
  }
}

/** Looks for the address in what a process writes, then lets the rest run dry to its end. */
async function readAnnouncement(
  stdout: ReadableStream<Uint8Array<ArrayBuffer>>,
  found: (url: string | undefined) => void,
): Promise<void> {
  let text = "";
  try {
    for await (const piece of stdout.pipeThrough(new TextDecoderStream())) {
      if (text.length >= MAX_ANNOUNCEMENT) continue;
      text += piece;
      const [, url] = ANNOUNCEMENT.exec(text) ?? [];
      if (url !== undefined) found(url);
    }
  } catch {
    // The process ended in the middle of a character.
  }
  found(undefined);
}
