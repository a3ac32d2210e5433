import { parse } from "jsonc-parser";
import { within } from "./until.ts";

const ROOT = new URL("../../", import.meta.url);

/** Set to the path of a compiled executable, the same tests run against that. */
const EXECUTABLE = "HOLDFAST_TEST_EXECUTABLE";

/** What a developer's own shell may have set must not reach the hub under test; empty is unset. */
const NEUTRAL_ENV = {
  NO_COLOR: "1",
  HOLDFAST_CONFIG: "",
  HOLDFAST_LISTEN: "",
  HOLDFAST_LOG_FORMAT: "",
  HOLDFAST_LOG_LEVEL: "",
  HOLDFAST_TOKEN: "",
  HOLDFAST_STATE: "",
  // Whatever is tested of one thread has to hold for several: see hub_in_process.ts.
  HOLDFAST_WORKERS: Deno.env.get("HOLDFAST_TEST_WORKERS") ?? "",
  STATE_DIRECTORY: "",
};

/** How a process that ran to its end did. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the program to its end; 20 s at most. */
export async function runHoldfast(
  args: readonly string[],
  env?: Readonly<Record<string, string>>,
): Promise<Ended> {
  const child = spawn([...command(), ...args], env);
  const output = child.output();
  try {
    const { code, stdout, stderr } = await within(output, {
      timeoutMs: 20_000,
      explain: () => `${args.join(" ")} did not end`,
    });
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } catch (error) {
    child.kill("SIGKILL");
    await output;
    throw error;
  }
}

/** Whether the compiled executable is under test. */
export function isExecutable(): boolean {
  return Boolean(Deno.env.get(EXECUTABLE));
}

export type CommandLine = [program: string, ...args: string[]];

/** For a `deno run` of a file that imports packages of tests or scripts, from any folder. */
export const DEVELOPMENT_LOCK_FLAG = `--lock=${new URL("deno.dev.lock", ROOT).pathname}`;

/** `deno task start` at the head of a process group, as a terminal runs it. */
export const TERMINAL_JOB: CommandLine = [
  "/usr/bin/setsid",
  Deno.execPath(),
  "task",
  "--quiet",
  "start",
];

/** The program and its first arguments. */
export function command(...args: string[]): CommandLine {
  const executable = Deno.env.get(EXECUTABLE);
  if (executable) return [new URL(executable, ROOT).pathname, ...args];
  return [Deno.execPath(), ...startTask(), ...args];
}

/** The `start` task without its leading `deno` and its closing `serve`. */
function startTask(): string[] {
  const manifest = parse(Deno.readTextFileSync(new URL("deno.json", ROOT))) as {
    tasks: { start: { command: string } };
  };
  const words = manifest.tasks.start.command.split(" ");
  if (words[0] !== "deno" || words.at(-1) !== "serve") {
    throw new Error(`the start task is not "deno … serve" any more: ${words.join(" ")}`);
  }
  return words.slice(1, -1);
}

/** Starts a process in the root of the project, with its outputs piped. */
export function spawn(
  [program, ...args]: CommandLine,
  env?: Readonly<Record<string, string>>,
): Deno.ChildProcess {
  return new Deno.Command(program, {
    args,
    cwd: ROOT,
    env: { ...NEUTRAL_ENV, ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}
