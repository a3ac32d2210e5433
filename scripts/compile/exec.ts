/** What goes wrong in a way that can be told in a sentence. */
export class BuildError extends Error {
  override readonly name = "BuildError";
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExecOptions {
  /** Longest run, in milliseconds; then it is ended. Default 60 s. */
  timeoutMs?: number;
}

/**
 * Runs a program to its end.
 *
 * @throws {Deno.errors.NotFound} If there is no such program.
 * @throws {BuildError} If it takes too long.
 */
export async function exec(
  program: string,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<Ended> {
  const { timeoutMs = 60_000 } = options;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeoutMs);
  try {
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args: [...args],
      env: { NO_COLOR: "1" },
      stdin: "null",
      signal: late.signal,
    }).output();
    if (late.signal.aborted) {
      throw new BuildError(`${program} ${args[0] ?? ""} took more than ${timeoutMs / 1000} s`);
    }
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } finally {
    clearTimeout(timer);
  }
}
