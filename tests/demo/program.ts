import { parse } from "jsonc-parser";
import { Watched } from "../support/until.ts";

const ROOT = new URL("../../", import.meta.url);

/** Set to the path of a compiled executable, the same tests run against that. */
const EXECUTABLE = "HOLDFAST_TEST_EXECUTABLE";

/** What a developer's own shell may have set must not reach the program under test. */
const NEUTRAL_ENV = {
  NO_COLOR: "1",
  HOLDFAST_CONFIG: "",
  HOLDFAST_LISTEN: "",
  HOLDFAST_LOG_FORMAT: "",
  HOLDFAST_LOG_LEVEL: "",
  HOLDFAST_TOKEN: "",
};

/**
 * A command of the program in a process of its own, with the permissions of `deno task demo` or
 * as the compiled executable. It is killed when disposed of, if it still runs.
 */
export class Program implements AsyncDisposable {
  /** What it wrote so far, both streams together. */
  text = "";
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #watched = new Watched();
  readonly #reading: Promise<unknown>;
  #code: number | undefined;

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const [program = "", ...before] = command();
    this.#child = new Deno.Command(program, {
      args: [...before, ...args],
      cwd: ROOT,
      env: { ...NEUTRAL_ENV, ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#reading = Promise.all([
      this.#read(this.#child.stdout),
      this.#read(this.#child.stderr),
      this.#child.status.then(({ code }) => {
        this.#code = code;
        this.#watched.changed();
      }),
    ]);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Waits until it has written something that fits; gives the match's first group. */
  waitFor(pattern: RegExp): Promise<string> {
    return this.#watched.until(() => {
      const match = pattern.exec(this.text);
      if (match === null && this.#code !== undefined) {
        throw new Error(`ended with ${this.#code} first: ${this.text}`);
      }
      return match?.[1] ?? match?.[0];
    }, { timeoutMs: 30_000, explain: () => `nothing like ${pattern} in: ${this.text}` });
  }

  async type(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
  }

  /** Ends its standard input. */
  async hangUp(): Promise<void> {
    await this.#input.close();
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Its exit code, 128 and more if a signal killed it; waits for its end. */
  ended(): Promise<number> {
    return this.#watched.until(() => this.#code, {
      timeoutMs: 30_000,
      explain: () => `did not end: ${this.text}`,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#code === undefined) this.#child.kill("SIGKILL");
    await this.#reading;
    await this.#input.close().catch(() => {}); // closed already, or broken by the end
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.text += text;
      this.#watched.changed();
    }
  }
}

/** Whether a process of this id is there and runs. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

/** The program and its first arguments: the `demo` task without its closing `demo`. */
function command(): string[] {
  const executable = Deno.env.get(EXECUTABLE);
  if (executable) return [new URL(executable, ROOT).pathname];
  const manifest = parse(Deno.readTextFileSync(new URL("deno.json", ROOT))) as {
    tasks: { demo: { command: string } };
  };
  const words = manifest.tasks.demo.command.split(" ");
  if (words[0] !== "deno" || words.at(-1) !== "demo") {
    throw new Error(`the demo task is not "deno … demo" any more: ${words.join(" ")}`);
  }
  return [Deno.execPath(), ...words.slice(1, -1)];
}
