import { command, spawn, TERMINAL_JOB } from "./command_line.ts";
import { ConfigFile } from "./config_file.ts";
import { Watched } from "./until.ts";

/** A line of the hub's log. */
export interface LogLine {
  readonly event: string;
  readonly level: string;
  readonly [field: string]: unknown;
}

export interface HubProcessOptions {
  /** Arguments after `serve`, before those that name the configuration. */
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** A module that is run in its process before the hub; not with the executable. */
  preload?: string;
  /** Where it listens. Default: a port of the system's choice. */
  port?: number;
  /** A command that runs what follows it, such as a shell that sets limits first. */
  through?: readonly string[];
  /** A folder with another version of the program, run with all permissions. Default: this one. */
  program?: string;
  /** Runs `deno task start`, as a terminal would: in a process group of its own. */
  asTask?: boolean;
}

/** The runtime's own words, not the hub's, where its cache of packages is young. */
const DOWNLOAD = /^Download /;

/**
 * The hub as users run it: a process of its own, with exactly the permissions of `deno task start`
 * or as the compiled executable. It is killed when disposed of, if it still runs.
 *
 * @example
 * ```ts
 * await using hub = await HubProcess.start({ sources: [] });
 * await using client = await WsClient.connect(hub.ws());
 * assertEquals(await hub.stop(), 0);
 * ```
 */
export class HubProcess implements AsyncDisposable {
  readonly logs: LogLine[] = [];
  /** What it wrote to standard error that is no log line; and what it outlived, but should not have met. */
  readonly complaints: string[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #watched = new Watched();
  readonly #reading: Promise<unknown>;
  readonly #files: ConfigFile;
  /** Whether the child leads a process group of its own. */
  readonly #isGroup: boolean;
  #code: number | undefined;
  #url = "";

  private constructor(child: Deno.ChildProcess, files: ConfigFile, isGroup: boolean) {
    this.#child = child;
    this.#files = files;
    this.#isGroup = isGroup;
    this.#reading = Promise.all([
      this.#readLogs(),
      child.stdout.cancel(),
      child.status.then(({ code }) => {
        this.#code = code;
        this.#watched.changed();
      }),
    ]);
  }

  /**
   * Runs `serve` until it listens.
   *
   * @param config As in a configuration file; `undefined` is the embedded default. Its
   * `listen` does not count.
   */
  static async start(config?: object, options: HubProcessOptions = {}): Promise<HubProcess> {
    const files = new ConfigFile(config);
    const { args = [], env, preload, port = 0, asTask = false, through = [] } = options;
    const { program: folder } = options;
    const [program, ...before] = asTask
      ? TERMINAL_JOB
      : folder === undefined
      ? command("serve")
      : otherCommand(folder);
    if (preload !== undefined) before.splice(1, 0, `--preload=${preload}`);
    let hub: HubProcess;
    try {
      const listen = ["--listen", `127.0.0.1:${port}`];
      const [first = program, ...rest] = [...through, program];
      const child = spawn([first, ...rest, ...before, ...args, ...listen, ...files.args], env);
      hub = new HubProcess(child, files, asTask);
    } catch (error) {
      files[Symbol.dispose]();
      throw error;
    }
    try {
      const { url } = await hub.waitForLog("server.listening");
      hub.#url = String(url);
      return hub;
    } catch (error) {
      await hub[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where it listens, such as `http://127.0.0.1:40123`. */
  get url(): string {
    return this.#url;
  }

  /** Its WebSocket address with a query. */
  ws(query: Readonly<Record<string, string>> = {}): string {
    const url = new URL("/ws", this.#url.replace(/^http/, "ws"));
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url.href;
  }

  /** The first log line of this event, waited for if it was not written yet. */
  waitForLog(event: string): Promise<LogLine> {
    return this.#watched.until(() => {
      const line = this.logs.find((each) => each.event === event);
      if (line === undefined && this.#code !== undefined) {
        throw new Error(`the hub ended with ${this.#code} first: ${this.complaints.join("\n")}`);
      }
      return line;
    }, { explain: () => `no "${event}"; log: ${this.logs.map((line) => line.event).join(" ")}` });
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Writes another configuration and has it read. */
  reload(config: object): void {
    this.#files.rewrite(config);
    this.signal("SIGHUP");
  }

  /** Presses Ctrl-C, which every process of the terminal's job gets, and waits for the end. */
  interrupt(): Promise<number> {
    Deno.kill(-this.#child.pid, "SIGINT");
    return this.ended();
  }

  /** Waits for the process' end; its exit code, 128 and more if a signal killed it. */
  ended(): Promise<number> {
    return this.#watched.until(() => this.#code, { explain: () => "the hub did not end" });
  }

  /** Sends a signal and waits for the end. */
  stop(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    this.signal(signal);
    return this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#code === undefined) {
      try {
        if (this.#isGroup) Deno.kill(-this.#child.pid, "SIGKILL");
        else this.#child.kill("SIGKILL");
      } catch {
        // It ended just now.
      }
    }
    await this.#reading;
    this.#files[Symbol.dispose]();
  }

  async #readLogs(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#take(line);
      this.#watched.changed();
    }
    if (rest !== "") this.#take(rest);
  }

  #take(line: string): void {
    if (DOWNLOAD.test(line)) return;
    try {
      const log: LogLine = JSON.parse(line);
      this.logs.push(log);
      if (log.event === "process.mishap") this.complaints.push(line);
    } catch {
      this.complaints.push(line);
    }
  }
}

/** Runs the program in another folder, by its own configuration. */
function otherCommand(folder: string): [string, ...string[]] {
  const config = ["--config", `${folder}/deno.json`, "--no-lock"];
  return [
    Deno.execPath(),
    "run",
    "--no-prompt",
    "-A",
    "--no-check",
    ...config,
    `${folder}/main.ts`,
    "serve",
  ];
}
