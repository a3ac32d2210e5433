import { exemptLoopback } from "../rpc/http/proxy.ts";
import type { ByteSink } from "../telemetry/line_writer.ts";

/** The world as a command sees it; tests give it another one. */
export interface Io {
  /** Writes a line for whoever asked. */
  out(line: string): void;
  /** Writes a line about what went wrong. */
  err(line: string): void;
  /** Whether a person reads what `err` writes. Default false. */
  readonly isTerminal?: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * The streams behind `out` and `err`, for a command that must not wait for their readers. Absent
   * where those two do not wait either.
   */
  readonly streams?: { readonly stdout: ByteSink; readonly stderr: ByteSink };
}

/** What a command's end means to the shell. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const;

const encoder = new TextEncoder();

/** The process' own streams and environment. From now on no request to loopback takes a proxy. */
export function processIo(): Io {
  const env = Deno.env.toObject();
  exemptLoopback(Deno.env);
  return {
    out: (line) => write(Deno.stdout, line),
    err: (line) => write(Deno.stderr, line),
    env,
    isTerminal: Deno.stderr.isTerminal(),
    streams: { stdout: Deno.stdout, stderr: Deno.stderr },
  };
}

function write(stream: { writeSync(bytes: Uint8Array): number }, line: string): void {
  let rest = encoder.encode(`${line}\n`);
  try {
    while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
  } catch {
    // The reader has gone (`holdfast … | head`): there is nobody left to tell.
  }
}
