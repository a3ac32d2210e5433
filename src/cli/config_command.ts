/** `holdfast config check | schema | example`: what they print, and their exit codes. */
import { describeChanges } from "../config/diff.ts";
import { EXAMPLE_CONFIG } from "../config/example.ts";
import type { Env } from "../config/interpolate.ts";
import { configJsonSchema } from "../config/json_schema.ts";
import { formatListen } from "../config/listen.ts";
import { isAuthOn, notesOn } from "../config/notes.ts";
import { describeProblem } from "../config/problems.ts";
import { safeUrl } from "../config/safe_url.ts";
import type { ClusterConfig, Config } from "../config/schema.ts";
import { proxyEnvironmentOf } from "../rpc/http/proxy.ts";
import { loadFileAndCheck } from "./further_checks.ts";

/** Where a command speaks, and the environment it reads. */
export interface ConfigIo {
  /** Writes a line to standard output. */
  out(line: string): void;
  /** Writes a line to standard error. */
  err(line: string): void;
  readonly env: Env;
}

export interface CheckOptions {
  /** The file now in force: also tell what a reload would change. */
  against?: string;
  /** Also send a test to each hook. */
  hooks?: boolean;
}

/** Exit codes: a clean end, a hook that does not take its test, and bad usage or bad config. */
const CLEAN = 0;
const HOOK_FAILED = 1;
const BAD_CONFIG = 2;

/**
 * Checks a file by itself, without flags and the `HOLDFAST_…` variables. Prints a summary, or
 * every problem on standard error.
 *
 * @returns The exit code: 0, 1 if a hook does not take its test, or 2 if the file is not in order.
 */
export async function checkConfig(
  file: string,
  io: ConfigIo,
  options: CheckOptions = {},
): Promise<number> {
  const config = await load(file, io);
  const { against } = options;
  const before = against === undefined ? undefined : await load(against, io);
  if (config === undefined) return BAD_CONFIG;
  io.out(`${file}: ok`);
  for (const line of summaryOf(config)) io.out(`  ${line}`);
  for (const note of notesOn(config)) io.out(`  note: ${note}`);
  if (against !== undefined) {
    if (before === undefined) return BAD_CONFIG;
    printChanges(before, config, against, io);
  }
  return options.hooks ? await tryHooks(config, io) : CLEAN;
}

/** Sends a test to each hook, and says how it was taken. */
async function tryHooks(config: Config, io: ConfigIo): Promise<number> {
  const { checkHooks } = await import("./check_hooks.ts");
  const checks = await checkHooks(config, {
    signal: new AbortController().signal,
    proxyEnvironment: proxyEnvironmentOf(io.env),
  });
  if (checks.length === 0) io.out("  hooks: none");
  for (const { hook, why } of checks) {
    if (why === undefined) io.out(`  hook ${hook}: took the test`);
    else io.err(`  hook ${hook}: did not take the test: ${why}`);
  }
  return checks.every(({ why }) => why === undefined) ? CLEAN : HOOK_FAILED;
}

/** Prints the JSON Schema of the configuration. */
export function printSchema(io: Pick<ConfigIo, "out">): number {
  io.out(JSON.stringify(configJsonSchema(), null, 2));
  return CLEAN;
}

/** Prints an example with every setting and its default. */
export function printExample(io: Pick<ConfigIo, "out">): number {
  io.out(EXAMPLE_CONFIG.trimEnd());
  return CLEAN;
}

async function load(file: string, io: ConfigIo): Promise<Config | undefined> {
  const loaded = await loadFileAndCheck(file, { env: io.env });
  if (loaded.ok) return loaded.config;
  for (const problem of loaded.problems) io.err(describeProblem(problem));
  io.err(`${file}: ${count(loaded.problems.length, "problem")}`);
  return undefined;
}

function summaryOf(config: Config): string[] {
  const { listen, tls, backends, sources, auth, origins, state, hooks, cluster } = config;
  const tokens = count(auth.tokens.length, "token");
  return [
    `listen: ${formatListen(listen)}${tls === undefined ? "" : ", with TLS"}`,
    `backends: ${
      list(Object.entries(backends).map(([name, each]) => `${name} (${each.transport})`))
    }`,
    `sources: ${list(sources.map(({ channel, backend }) => `${channel} <- ${backend}`))}`,
    isAuthOn(config)
      ? `auth: on, ${tokens}${auth.jwt.length === 0 ? "" : " and JWT"}`
      : "auth: off, open to anyone who can connect",
    `origins: ${origins.length === 0 ? "same origin only" : origins.join(", ")}`,
    `state: ${state.dir ?? "memory alone, unless systemd gives a folder"}`,
    ...(hooks.length === 0 ? [] : [`hooks: ${list(hooks.map(({ name }) => name))}`]),
    ...(cluster === undefined ? [] : [clusterLine(cluster)]),
  ];
}

function clusterLine({ name, nats, share_port }: ClusterConfig): string {
  const servers = [nats].flat().map(safeUrl).join(", ");
  return `cluster: ${name}, over ${servers}${share_port ? "; the port is shared" : ""}`;
}

/** Most names in one line of the summary. */
const MOST_NAMES = 8;

function list(names: readonly string[]): string {
  if (names.length === 0) return "none";
  const shown = names.slice(0, MOST_NAMES).join(", ");
  return `${names.length}: ${shown}${names.length > MOST_NAMES ? ", …" : ""}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function printChanges(before: Config, after: Config, against: string, io: ConfigIo): void {
  const { applies, needsRestart } = describeChanges(before, after);
  if (applies.length + needsRestart.length === 0) io.out(`no change from ${against}`);
  if (applies.length > 0) io.out(`a reload from ${against} would change`);
  for (const line of applies) io.out(`  ${line}`);
  if (needsRestart.length > 0) io.out(`only a restart from ${against} would change`);
  for (const line of needsRestart) io.out(`  ${line}`);
}
