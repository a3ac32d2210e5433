import type { Ended } from "../support/command_line.ts";
import { command } from "../support/command_line.ts";
import { within } from "../support/until.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** What a checkout has that commands of the documents touch. */
const CHECKOUT = ["main.ts", "deno.json", "deno.lock", "src"];

/** What an installation writes to is made anew, so that no command reaches the real one. */
const COPIED = ["scripts", "docs"];

/** Folders of a server's, in the sandbox. */
const FOLDERS = ["etc/nginx/conf.d", "etc/prometheus/rules"];

/** Absolute paths in a command that mean the server's own files. */
const SERVER_PATH = /(?<=^|[\s>'"=])\/(?=(?:etc|usr\/local|var)\/)/g;

/** Long enough for `npx` to fetch what it needs. */
const TIMEOUT_MS = 90_000;

/** Programs that a command must not really run: these look at their arguments, and that is all. */
const STUBS: Readonly<Record<string, string>> = {
  sudo: 'exec "$@"',
  systemctl:
    `case "$1" in status|restart|reload|enable) ;; *) echo "systemctl $*?" >&2; exit 1 ;; esac`,
  journalctl: `case "$*" in "--unit holdfast"*) ;; *) echo "journalctl $*?" >&2; exit 1 ;; esac`,
  // The setting must exist.
  sysctl: `[ "$1" = -w ] && [ -e "/proc/sys/$(echo "\${2%%=*}" | tr . /)" ]`,
};

/**
 * A folder in which commands can be tried: a checkout with an executable in `dist/`, a server's file
 * system in `root/`, and stubs of what changes a machine.
 */
export class Sandbox implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(): Promise<Sandbox> {
    const folder = await Deno.makeTempDir({ prefix: "holdfast-test-" });
    const sandbox = new Sandbox(folder);
    for (const name of CHECKOUT) await Deno.symlink(`${ROOT}${name}`, `${folder}/${name}`);
    for (const name of COPIED) await copyFolder(`${ROOT}${name}`, `${folder}/${name}`);
    for (const name of FOLDERS) await Deno.mkdir(`${folder}/root/${name}`, { recursive: true });
    await Deno.mkdir(`${folder}/bin`);
    await Deno.mkdir(`${folder}/dist`);
    await Deno.symlink(Deno.execPath(), `${folder}/bin/deno`);
    for (const [name, script] of Object.entries(STUBS)) {
      await sandbox.#program(`bin/${name}`, script);
    }
    const [program, ...args] = command().map((word) =>
      word === "main.ts" ? `${ROOT}main.ts` : word
    );
    const holdfast = `exec ${[program, ...args].map((word) => `'${word}'`).join(" ")} "$@"`;
    await sandbox.#program("bin/holdfast", holdfast);
    await sandbox.#program("dist/holdfast", holdfast);
    return sandbox;
  }

  /** Writes a file that commands find where they run. */
  async write(name: string, text: string): Promise<void> {
    await Deno.writeTextFile(`${this.#folder}/${name}`, text);
  }

  /** Permission bits of a file of the server's; `undefined` if it is not there. */
  async modeOf(path: string): Promise<number | undefined> {
    try {
      const { mode } = await Deno.stat(`${this.#folder}/root${path}`);
      return mode === null ? undefined : mode & 0o777;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** Starts a command at the head of a process group of its own. */
  spawn(text: string): Deno.ChildProcess {
    const inside = text.replace(SERVER_PATH, `${this.#folder}/root/`);
    return new Deno.Command("/usr/bin/setsid", {
      args: ["sh", "-euc", inside],
      cwd: this.#folder,
      env: {
        // Debian has servers in the last one, which is not on everybody's path.
        PATH: `${this.#folder}/bin:${Deno.env.get("PATH")}:/usr/sbin`,
        DESTDIR: `${this.#folder}/root`,
        NO_COLOR: "1",
        HOLDFAST_CONFIG: "",
        HOLDFAST_LISTEN: "127.0.0.1:0",
        HOLDFAST_LOG_FORMAT: "",
        HOLDFAST_LOG_LEVEL: "",
        HOLDFAST_TOKEN: "",
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** Runs a command to its end. */
  async run(text: string): Promise<Ended> {
    const child = this.spawn(text);
    const output = child.output();
    try {
      const { code, stdout, stderr } = await within(output, {
        timeoutMs: TIMEOUT_MS,
        explain: () => "it did not end",
      });
      const decoder = new TextDecoder();
      return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    } catch (error) {
      Deno.kill(-child.pid, "SIGKILL");
      await output;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #program(name: string, script: string): Promise<void> {
    const path = `${this.#folder}/${name}`;
    await Deno.writeTextFile(path, `#!/bin/sh\n${script}\n`);
    await Deno.chmod(path, 0o755);
  }
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}
