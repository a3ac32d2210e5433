/** A program and its arguments. */
export interface CommandLine {
  readonly program: string;
  readonly args: readonly string[];
}

export interface BackendCommandOptions {
  /** Port on 127.0.0.1; 0 lets the system choose. */
  port: number;
  /** The folder the backend works on; from a checkout it may write nowhere else. */
  spool: string;
  /** Most bytes a second that each of its agents reads. */
  maxBytesPerSecond: number;
  log: { readonly level: string; readonly format: string };
}

/** The C library by which the machine's figures are read where the runtime bars the way. */
const LIBC = "/lib/x86_64-linux-gnu/libc.so.6,/lib/aarch64-linux-gnu/libc.so.6";

/**
 * How this very program runs its demo backend: a compiled executable runs itself, from a checkout
 * the runtime runs `main.ts` with no more permissions than the backend needs.
 */
export function backendCommand(options: BackendCommandOptions): CommandLine {
  const { port, spool, maxBytesPerSecond, log } = options;
  const args = [
    "backend",
    `--listen=127.0.0.1:${port}`,
    `--spool=${spool}`,
    "--faults",
    `--pace=${maxBytesPerSecond}`,
    "--stop-on-eof",
    `--log-level=${log.level}`,
    `--log-format=${log.format}`,
  ];
  const program = Deno.execPath();
  if (Deno.build.standalone) return { program, args };
  const permissions = [
    "--allow-net=127.0.0.1",
    "--allow-env",
    "--allow-read",
    `--allow-write=${spool}`,
    "--allow-sys",
    `--allow-ffi=${LIBC}`,
  ];
  const main = new URL("../../main.ts", import.meta.url).href;
  return { program, args: ["run", "--quiet", "--no-prompt", ...permissions, main, ...args] };
}
