import { LineWriter } from "../telemetry/line_writer.ts";
import { logOf } from "../telemetry/log.ts";
import type { Io } from "./io.ts";

/** An {@linkcode Io} whose readers may stand still: whoever writes to it goes on. */
export interface UnblockedIo extends Io, AsyncDisposable {
  /** Writes a line of the log, for {@linkcode startLogs}; undefined where its default will do. */
  readonly logLine: ((line: string) => void) | undefined;
  /** Log lines left out because their reader was too slow. */
  readonly logLinesLeftOut: number;
  /** Waits until all was read, but no longer than this. */
  flush(withinMs: number): Promise<void>;
}

/** How long what waits gets at the end of a command, in milliseconds. */
const FLUSH_MS = 500;

/** The same where a second signal asks to end at once. */
export const LAST_WORDS_MS = 50;

/**
 * The streams of a command that serves others while it runs. What waits for a reader is bounded;
 * what is left out is counted, and said when there is somebody to read it. Disposing of it waits
 * for what still has to go, for a bounded time.
 */
export function unblockedIo(io: Io): UnblockedIo {
  const { env, streams, isTerminal = false } = io;
  if (streams === undefined) {
    return {
      ...io,
      logLine: undefined,
      logLinesLeftOut: 0,
      flush: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const stdout: LineWriter = new LineWriter(streams.stdout, {
    onLeftOut: (lines) => stdout.write(`(${lines} lines were left out: the reader was too slow)`),
  });
  // Log and other words share the stream, and so the order.
  const stderr = new LineWriter(streams.stderr, {
    onLeftOut: (lines) => logOf("cli").error("log.lines_left_out", { lines }),
  });
  const flush = async (withinMs: number) => {
    await Promise.all([stdout.flush(withinMs), stderr.flush(withinMs)]);
  };
  return {
    env,
    isTerminal,
    out: (line) => stdout.write(line),
    err: (line) => stderr.write(line),
    logLine: (line) => stderr.write(line),
    get logLinesLeftOut() {
      return stderr.leftOut;
    },
    flush,
    [Symbol.asyncDispose]: () => flush(FLUSH_MS),
  };
}
