import { describeProblem } from "../config/problems.ts";
import type { Config } from "../config/schema.ts";
import { BackendProcess } from "../demo/backend_process.ts";
import { seed } from "../demo/seeder.ts";
import { forgetProxyVariables } from "../rpc/http/proxy.ts";
import { systemClock } from "../resilience/clock.ts";
import { App } from "../server/app.ts";
import { listenForSignals } from "../service/signals.ts";
import { startLogs } from "../telemetry/log.ts";
import { backendCommand } from "./backend_command.ts";
import { demoConfig, type DemoFlags } from "./demo_config.ts";
import { EXIT, type Io } from "./io.ts";
import { openBackend } from "./open_backend.ts";
import { TemporaryFolder } from "./temporary_folder.ts";
import { onLines } from "./terminal.ts";
import { unblockedIo } from "./unblocked_io.ts";
import { VERSION } from "./version.ts";
import { whyNotListening } from "./why_not_listening.ts";

/** Stands for the backend's address until that is known; nothing is ever asked there. */
const NOWHERE = "http://127.0.0.1:9";

/** Slow enough for people to see a file's progress. */
const PACE_BYTES_PER_SECOND = 600_000;

/** Within this time the two processes hear of one Ctrl-C, in milliseconds. */
const SAME_INTERRUPT_MS = 250;

/**
 * `holdfast demo`: a hub in this process, the demo backend in one of its own, and work for it.
 * The backend may be killed and brought back while it runs. Returns the exit code.
 */
export async function demo(flags: DemoFlags, waitingIo: Io): Promise<number> {
  await using io = unblockedIo(waitingIo);
  forgetProxyVariables(Deno.env);
  const checked = demoConfig(NOWHERE, flags, io.env);
  if (!checked.ok) {
    for (const problem of checked.problems) io.err(`holdfast: ${describeProblem(problem)}`);
    return EXIT.usage;
  }
  await using _logs = startLogs({
    ...checked.config.log,
    ...(io.logLine ? { write: io.logLine } : {}),
  });
  try {
    return await run(flags, io, checked.config.log);
  } catch (error) {
    io.err(`holdfast: ${whyNotListening(error, checked.config.listen)}`);
    return EXIT.failure;
  }
}

async function run(flags: DemoFlags, io: Io, log: Config["log"]): Promise<number> {
  const { promise: stop, resolve } = Promise.withResolvers<void>();
  let isStopping = false;
  const askToStop = () => {
    isStopping = true;
    resolve();
  };
  let leaveAtOnce = () => {};
  // Before anything is begun that would have to be cleared away.
  using _signals = listenForSignals({
    onStop: askToStop,
    onImpatience: () => {
      leaveAtOnce();
      Deno.exit(EXIT.failure);
    },
    onReload: askToStop, // the terminal has gone
  });
  await using folder = await TemporaryFolder.make("holdfast-demo-");
  await using backend = new BackendProcess({
    clock: systemClock,
    command: (port) =>
      backendCommand({ port, spool: folder.path, maxBytesPerSecond: PACE_BYTES_PER_SECOND, log }),
    onDeath: async (how) => {
      // Ctrl-C reaches the backend too, which may be quicker to go: that is no news.
      await systemClock.sleep(SAME_INTERRUPT_MS);
      if (!isStopping) io.out(`The backend ${how}. Bring it back: r + Enter, or ${usr2()}`);
    },
  });
  leaveAtOnce = () => {
    backend.kill();
    folder.removeNow();
  };
  const started = backend.start().then(() => true);
  if (!await Promise.race([started, stop.then(() => false)])) return EXIT.ok;
  const checked = demoConfig(backend.url, flags, io.env);
  if (!checked.ok) throw new TypeError("the demo's own configuration is wrong");
  await using app = await App.start(checked.config, { version: VERSION, openBackend });
  using _usr2 = listenForUsr2(() => void bringBack(backend, io));
  void onLines((line) => obey(line, backend, io, askToStop));
  for (const line of welcome(app, backend, folder.path, checked.config)) io.out(line);
  await using _seeding = seeding(folder.path);
  await stop;
  io.out("Stopping.");
  return EXIT.ok;
}

function welcome(
  { url }: App,
  backend: BackendProcess,
  spool: string,
  { auth }: Config,
): string[] {
  return [
    "",
    `Holdfast ${VERSION}, a demonstration. Everything here ends with it.`,
    "",
    `  hub      ${url}/  (process ${Deno.pid})`,
    `  backend  ${backend.url}/  (process ${backend.pid}; its faults have buttons there)`,
    `  spool    ${spool}  (put files there to have them compressed)`,
    ...(auth.tokens.length > 0 ? ["  token    the one in HOLDFAST_TOKEN"] : []),
    "",
    `Open ${url}/ and see the values come. Then try:`,
    "",
    `  kill -9 ${backend.pid}`.padEnd(22) +
    "the backend dies: CIRCUIT_OPEN, values go on, marked stale",
    "  r + Enter".padEnd(22) + `bring it back (or ${usr2()}): RPC_RECOVERED, fresh values`,
    "  k + Enter".padEnd(22) + "kill it from here",
    "  Ctrl-C".padEnd(22) + "stop everything and leave nothing behind",
    "",
  ];
}

function obey(line: string, backend: BackendProcess, io: Io, askToStop: () => void): void {
  switch (line.toLowerCase()) {
    case "":
      return;
    case "r":
      return void bringBack(backend, io);
    case "k":
      if (backend.pid === undefined) io.out("The backend does not run. r + Enter brings it back");
      return backend.kill();
    case "q":
      return askToStop();
    default:
      io.out("r brings the backend back, k kills it, q stops everything");
  }
}

async function bringBack(backend: BackendProcess, io: Io): Promise<void> {
  const { pid } = backend;
  if (pid !== undefined) return io.out(`The backend runs already, as process ${pid}.`);
  try {
    await backend.start();
    io.out(`The backend is back, as process ${backend.pid}.`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    io.out(`Cannot bring it back: ${why}. Try again: r + Enter`);
  }
}

/** The signal that brings the backend back where nobody can type. */
const BRING_BACK = "SIGUSR2";

function usr2(): string {
  return `kill -USR2 ${Deno.pid}`;
}

function listenForUsr2(heard: () => void): Disposable {
  if (Deno.build.os === "windows") return { [Symbol.dispose]() {} };
  Deno.addSignalListener(BRING_BACK, heard);
  return { [Symbol.dispose]: () => Deno.removeSignalListener(BRING_BACK, heard) };
}

/** Supplies the spool with work until disposed of. */
function seeding(directory: string): AsyncDisposable {
  const stop = new AbortController();
  const done = seed({ clock: systemClock, directory }, stop);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
    },
  };
}
