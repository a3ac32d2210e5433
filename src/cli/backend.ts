import { parseDuration } from "../config/duration.ts";
import { type Listen, parseListen } from "../config/listen.ts";
import { MAX_AGENTS } from "../demo/compression_service.ts";
import { DemoBackend } from "../demo/demo_backend.ts";
import { systemClock } from "../resilience/clock.ts";
import { listenForSignals } from "../service/signals.ts";
import { logOf, startLogs } from "../telemetry/log.ts";
import { hostFigures } from "./host_figures.ts";
import { EXIT, type Io } from "./io.ts";
import { type LogFlags, logSettings } from "./log_settings.ts";
import { TemporaryFolder } from "./temporary_folder.ts";
import { untilEndOfInput } from "./terminal.ts";
import { unblockedIo } from "./unblocked_io.ts";
import { whyNotListening } from "./why_not_listening.ts";

/** As on the command line, unchecked. */
export interface BackendFlags extends LogFlags {
  listen?: string;
  /** The folder to work on. Default: a temporary one, removed at the end. */
  spool?: string;
  faults?: boolean;
  /** How many files are compressed at a time. */
  agents?: string;
  /** Most bytes a second that each agent reads. */
  pace?: string;
  /** Stop when standard input ends: a parent that dies takes the backend with it. */
  stopOnEof?: boolean;
}

const DEFAULT_LISTEN = "127.0.0.1:9090";

interface DemoBackendSettings {
  readonly listen: Listen;
  readonly agents: number | undefined;
  readonly maxBytesPerSecond: number | undefined;
}

/** `holdfast backend`: runs the demo backend until a signal stops it. Returns the exit code. */
export async function backend(flags: BackendFlags, waitingIo: Io): Promise<number> {
  await using io = unblockedIo(waitingIo);
  const logs = logSettings(flags, io.env, { level: "info", format: "json" });
  const problems = logs.ok ? [] : [...logs.problems];
  const settings = readSettings(flags, problems);
  if (!logs.ok || problems.length > 0) {
    for (const problem of problems) io.err(`holdfast: ${problem}`);
    return EXIT.usage;
  }
  await using _logs = startLogs({
    ...logs.settings,
    ...(io.logLine ? { write: io.logLine } : {}),
  });
  const { promise: stop, resolve: askToStop } = Promise.withResolvers<string>();
  using _signals = listenForSignals({
    onStop: askToStop,
    onImpatience: () => Deno.exit(EXIT.failure),
    onReload: () => askToStop("SIGHUP"), // there is nothing to read again: the terminal has gone
  });
  if (flags.stopOnEof) void untilEndOfInput().then(() => askToStop("end of input"));
  return await run(flags, settings, io, stop);
}

async function run(
  flags: BackendFlags,
  { listen, agents, maxBytesPerSecond }: DemoBackendSettings,
  io: Io,
  stop: Promise<string>,
): Promise<number> {
  const log = logOf("demo");
  try {
    await using folder = flags.spool === undefined
      ? await TemporaryFolder.make("holdfast-spool-")
      : undefined;
    await using host = hostFigures();
    await using running = await DemoBackend.start({
      clock: systemClock,
      listen,
      compression: {
        directory: folder?.path ?? flags.spool ?? ".",
        ...(agents === undefined ? {} : { agents }),
        ...(maxBytesPerSecond === undefined ? {} : { maxBytesPerSecond }),
      },
      host,
      hasFaults: flags.faults ?? false,
      parseDuration,
    });
    const { url, directory } = running;
    io.out(`demo backend: ${url}/rpc`);
    io.out(`spool: ${directory}${folder ? " (temporary; --spool DIR keeps results)" : ""}`);
    io.out(`faults: ${flags.faults ? `switch them at ${url}/` : "off (--faults)"}`);
    log.info("backend.listening", { url, spool: directory });
    log.info("backend.stopping", { why: await stop });
  } catch (error) {
    io.err(`holdfast: ${whyNotListening(error, listen)}`);
    return EXIT.failure;
  }
  log.info("backend.stopped");
  return EXIT.ok;
}

function readSettings(flags: BackendFlags, problems: string[]): DemoBackendSettings {
  const { listen: text = DEFAULT_LISTEN, agents, pace } = flags;
  const listen = parseListen(text);
  if (listen === undefined) {
    problems.push(`--listen: found ${JSON.stringify(text)}; expected HOST:PORT`);
  }
  if (flags.spool === "") problems.push(`--spool: found ""; expected a folder`);
  return {
    listen: listen ?? { hostname: "127.0.0.1", port: 0 },
    agents: wholeNumber("--agents", agents, MAX_AGENTS, problems),
    maxBytesPerSecond: wholeNumber("--pace", pace, Number.MAX_SAFE_INTEGER, problems),
  };
}

function wholeNumber(
  flag: string,
  text: string | undefined,
  max: number,
  problems: string[],
): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= max) return number;
  problems.push(`${flag}: found ${JSON.stringify(text)}; expected a whole number from 1 to ${max}`);
  return undefined;
}
