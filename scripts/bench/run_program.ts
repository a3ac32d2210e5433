export interface RunOptions {
  /** Longest run, in milliseconds; then it is ended. Default: 60 s. */
  timeoutMs?: number;
  /** Folder to run it in. */
  cwd?: string;
}

const DEFAULT_TIMEOUT_MS = 60_000;

/**
 * Runs a program to its end and returns what it wrote, standard output before standard error.
 *
 * @throws {Error} If there is no such program, if it fails, or if it takes too long.
 */
export async function runProgram(
  [program = "", ...args]: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, cwd } = options;
  const signal = AbortSignal.timeout(timeoutMs);
  const command = new Deno.Command(program, {
    args,
    stdin: "null",
    signal,
    ...(cwd === undefined ? {} : { cwd }),
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  const text = `${decoder.decode(stdout)}${decoder.decode(stderr)}`.trim();
  if (signal.aborted) throw new Error(`${program} took more than ${timeoutMs / 1000} s`);
  if (code !== 0) throw new Error(`${program} failed with code ${code}: ${text.slice(-2000)}`);
  return text;
}
