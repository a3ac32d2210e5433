import { type CommandLine, spawn } from "./command_line.ts";
import { Watched } from "./until.ts";

/** As much as a pipe holds; from then on a write waits for its reader. */
const PIPE_BYTES = 65_536;

/**
 * Holds the pipe open without reading, fills it to the brim, and becomes the command. The holder is
 * killed by its id, which it leaves in a file.
 */
const SCRIPT = `
mkfifo "$1/pipe"
tail -f /dev/null < "$1/pipe" > /dev/null 2>&1 & echo $! > "$1/holder"
head -c ${PIPE_BYTES} /dev/zero > "$1/pipe"
pipe="$1/pipe"; shift
exec "$@" > "$pipe" 2> "$pipe"
`;

/** A command whose standard output and error go into one full pipe that nobody reads. */
export class UnreadOutput implements AsyncDisposable {
  readonly #folder = Deno.makeTempDirSync({ prefix: "holdfast-unread-" });
  readonly #child: Deno.ChildProcess;
  readonly #watched = new Watched();
  #code: number | undefined;

  constructor(line: CommandLine, env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(["/bin/sh", "-c", SCRIPT, "sh", this.#folder, ...line], env);
    void this.#child.stdout.cancel();
    void this.#child.stderr.cancel();
    void this.#child.status.then(({ code }) => {
      this.#code = code;
      this.#watched.changed();
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Asks it to stop, and waits for the exit code. */
  stop(): Promise<number> {
    this.#child.kill("SIGTERM");
    return this.#watched.until(() => this.#code, { explain: () => "it did not end" });
  }

  /** Begins to read, until the last writer has gone; what was written, without the filling. */
  async read(): Promise<string> {
    const text = await Deno.readTextFile(`${this.#folder}/pipe`);
    return text.replaceAll("\0", "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of [() => this.#child.kill("SIGKILL"), () => this.#killHolder()]) {
      try {
        end();
      } catch {
        // It has gone, or never was.
      }
    }
    await this.#child.status;
    Deno.removeSync(this.#folder, { recursive: true });
  }

  #killHolder(): void {
    Deno.kill(Number(Deno.readTextFileSync(`${this.#folder}/holder`)), "SIGKILL");
  }
}
