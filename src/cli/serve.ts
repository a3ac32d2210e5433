import type { ConfigFlags, LoadedConfig } from "../config/load.ts";
import { notesOn } from "../config/notes.ts";
import { describeProblem } from "../config/problems.ts";
import type { Config } from "../config/schema.ts";
import { App } from "../server/app.ts";
import { openTraces } from "../server/reports/traces.ts";
import { readCredentials } from "../service/credentials.ts";
import { UncaughtErrors } from "../service/uncaught_errors.ts";
import { forgetProxyVariables, proxyEnvironmentOf } from "../rpc/http/proxy.ts";
import { giveUpPermissions } from "../service/permissions.ts";
import { Reloads } from "../service/reloads.ts";
import { listenForSignals } from "../service/signals.ts";
import type { State } from "../state/state.ts";
import { writesToJournal } from "../telemetry/journal.ts";
import { type Log, type LogFormat, logOf, type LogOptions, startLogs } from "../telemetry/log.ts";
import { loadAndCheck } from "./further_checks.ts";
import { EXIT, type Io } from "./io.ts";
import { openBackendWith } from "./open_backend.ts";
import { describeTaken, openState } from "./open_state.ts";
import { Supervision } from "./supervision.ts";
import { LAST_WORDS_MS, type UnblockedIo, unblockedIo } from "./unblocked_io.ts";
import { clientThreads } from "../workers/client_thread_pool.ts";
import { VERSION } from "./version.ts";
import { whyNotListening } from "./why_not_listening.ts";

export interface ServeOptions {
  /** Configuration file. Default: `HOLDFAST_CONFIG`, else the embedded default. */
  config?: string;
  flags?: ConfigFlags;
}

/** Logs until the configuration says how. */
function earlyLogs(io: Io): Pick<LogOptions, "level" | "format"> {
  return { level: "info", format: logFormatFor(io) };
}

/** The format of logs where no setting says it: a person reads other lines than a program. */
function logFormatFor({ isTerminal = false }: Io): LogFormat {
  return isTerminal ? "pretty" : "json";
}

/** `holdfast serve`: runs the hub until a signal stops it. Returns the exit code. */
export async function serve(options: ServeOptions, waitingIo: Io): Promise<number> {
  // First, and so to the very last word: no signal may kill a hub that speaks, or still has to.
  using wishes = new Wishes({ flush: (withinMs) => io.flush(withinMs) });
  await using io = unblockedIo(waitingIo);
  await using _logs = startLogs({ ...earlyLogs(io), ...logLinesOf(io) });
  forgetProxyVariables(Deno.env); // before the first request; backends know them from `io.env`
  const loaded = await load(options, io);
  if (!loaded.ok) {
    for (const problem of loaded.problems) io.err(`holdfast: ${describeProblem(problem)}`);
    return EXIT.usage;
  }
  const { config, source } = loaded;
  startLogs({ ...config.log, ...logLinesOf(io) });
  const state = await openState(config);
  if (state !== undefined && "takenBy" in state) {
    io.err(`holdfast: ${describeTaken(config.state.dir, state)}`);
    return EXIT.usage;
  }
  await using _state = state;
  giveUpPermissions({ keep: permissionsFor(config, state) });
  const log = logOf("cli");
  log.info("config.loaded", {
    source,
    backends: Object.keys(config.backends).length,
    sources: config.sources.length,
  });
  for (const note of notesOn(config)) log.warning("config.note", { note });
  return await runUntilStopped(config, { io, log, load: () => load(options, io), wishes, state });
}

/** What of the permissions that a hub seldom needs this one does. */
function permissionsFor({ backends }: Config, state: State | undefined): ("run" | "write")[] {
  const hasGrpc = Object.values(backends).some(({ transport }) => transport === "grpc");
  // The state's files are open by now, and its thread may write to its folder alone; but where that
  // could not be had it is tried again.
  const isFolderToCome = state !== undefined && !state.hasFolder;
  return [...(hasGrpc ? ["run"] as const : []), ...(isFolderToCome ? ["write"] as const : [])];
}

/** What signals ask of the hub, from its first moment on. */
class Wishes implements Disposable {
  readonly reloads = new Reloads();
  /** Resolves once it is asked to stop. */
  readonly stop: Promise<void>;
  readonly #signals: Disposable;

  constructor(io: Pick<UnblockedIo, "flush">) {
    const log = logOf("cli");
    const { promise, resolve } = Promise.withResolvers<void>();
    this.stop = promise;
    this.#signals = listenForSignals({
      onStop: (signal) => {
        log.info("signal.received", { signal });
        this.reloads.end();
        resolve();
      },
      onImpatience: (signal) => {
        log.warning("signal.second", { signal, effect: "stopping without the rest of the drain" });
        void io.flush(LAST_WORDS_MS).then(() => Deno.exit(EXIT.failure));
      },
      onReload: () => this.reloads.ask(),
    });
  }

  [Symbol.dispose](): void {
    this.reloads.end();
    this.#signals[Symbol.dispose]();
  }
}

async function load({ config: file, flags = {} }: ServeOptions, io: Io): Promise<LoadedConfig> {
  const env = { ...await readCredentials(Deno.env), ...io.env };
  return await loadAndCheck({
    ...(file === undefined ? {} : { file }),
    flags,
    env,
    logFormat: logFormatFor(io),
  });
}

/** How log lines are written, whatever the configuration says of them. */
function logLinesOf({ env, logLine }: UnblockedIo): Pick<LogOptions, "journal" | "write"> {
  return { journal: writesToJournal(env), ...(logLine ? { write: logLine } : {}) };
}

interface ServeRunOptions {
  io: UnblockedIo;
  log: Log;
  /** Reads the configuration again. */
  load: () => Promise<LoadedConfig>;
  wishes: Wishes;
  state: State | undefined;
}

async function runUntilStopped(config: Config, options: ServeRunOptions): Promise<number> {
  const { io, log, wishes, state } = options;
  using uncaughtErrors = new UncaughtErrors();
  await using supervision = new Supervision(config.hub.heartbeat_every);
  let app: App;
  try {
    const proxyEnvironment = proxyEnvironmentOf(io.env);
    const onHeartbeat = () => supervision.beat();
    const observer = await openTraces({ env: io.env, version: VERSION });
    if (observer) warnOfTokensInTraces(config, log);
    app = await App.start(config, {
      version: VERSION,
      openBackend: (backend) => openBackendWith(proxyEnvironment, backend),
      proxyEnvironment,
      stop: wishes.stop,
      onHeartbeat,
      uncaughtErrors: () => uncaughtErrors.count,
      logLinesLeftOut: () => io.logLinesLeftOut,
      openThreads: clientThreads({
        journal: writesToJournal(io.env),
        write: io.logLine ?? ((line) => io.err(line)),
      }),
      ...(observer ? { observer } : {}),
      ...(state ? { state } : {}),
    });
  } catch (error) {
    io.err(`holdfast: ${whyNotListening(error, config.listen)}`);
    return EXIT.failure;
  }
  supervision.started(app);
  if (io.isTerminal) io.err(`holdfast: open ${addressToOpen(app.url)}`);
  wishes.reloads.begin(() => reload(app, { ...options, supervision }));
  await wishes.stop;
  supervision.stopping();
  try {
    await app.shutdown();
    return EXIT.ok;
  } catch (error) {
    log.error("server.stop_failed", { why: String(error) });
    return EXIT.failure;
  }
}

/** The page's address for a browser on this machine: none goes to "every address". */
function addressToOpen(url: string): string {
  return `${url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")}/`;
}

/** The runtime makes spans of requests by itself, and nothing can be taken out of them. */
function warnOfTokensInTraces({ auth }: Config, log: Log): void {
  if (auth.tokens.length === 0 && auth.jwt.length === 0) return;
  log.warning("tracing.note", {
    note: "the runtime's spans show whole addresses: a token sent as ?token=… reaches the " +
      "collector; send tokens as a header or as a subprotocol",
  });
}

interface ReloadOptions extends ServeRunOptions {
  supervision: Supervision;
}

/** Puts the configuration as it now is into force; if it is bad, the old one stays. */
async function reload(app: App, options: ReloadOptions): Promise<void> {
  const { log, supervision } = options;
  log.info("config.reloading");
  supervision.reloading();
  const problems = await tryToReload(app, options);
  if (problems.length === 0) {
    supervision.reloaded(`listening on ${app.url}, configuration reloaded`);
    return;
  }
  log.error("config.rejected", { problems, effect: "the old configuration stays in force" });
  supervision.reloaded(`listening on ${app.url}, new configuration rejected: see the log`);
}

/** Reloads; what stood in the way is returned. */
async function tryToReload(app: App, { io, load }: ServeRunOptions): Promise<string[]> {
  try {
    const loaded = await load();
    if (!loaded.ok) return loaded.problems.map(describeProblem);
    await app.reload(loaded.config);
    // Only the level changes: whoever reads the lines reads on.
    startLogs({ ...app.config.log, ...logLinesOf(io) });
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
