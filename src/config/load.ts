/**
 * Where settings come from, the strongest first: a flag, the environment, the file, the default.
 * A variable that is set to the empty string counts as not set.
 */
import { dirname, resolve } from "node:path";
import { DEFAULT_CONFIG, DEFAULT_NAME } from "./default.ts";
import type { Env } from "./interpolate.ts";
import {
  checkConfigValue,
  type CheckedTree,
  type Override,
  parseConfig,
  type ParsedConfig,
} from "./parse.ts";
import type { Problem } from "./problems.ts";
import { type Format, readConfigText } from "./read_file.ts";
import { readJsonc } from "./text/jsonc.ts";
import type { TextReader } from "./text/reading.ts";
import { resolvePaths } from "./resolve_paths.ts";
import type { Config, TokenConfig } from "./schema.ts";
import { tokenSchema } from "./schema_auth.ts";
import { asObject, type Tree } from "./tree.ts";

/** Flags of the command line that are settings as well. */
export interface ConfigFlags {
  /** `--listen`. */
  listen?: string;
  /** `--state`. */
  state?: string;
  /** `--workers`. */
  workers?: string;
  /** `--log-level`. */
  logLevel?: string;
  /** `--log-format`. */
  logFormat?: string;
}

export interface LoadOptions {
  /** `--config`. Default: `HOLDFAST_CONFIG`, else the embedded default. */
  file?: string;
  flags?: ConfigFlags;
  /** For `HOLDFAST_…` and for `${NAME}` in the file. */
  env: Env;
  /** The format of logs where nothing says it. Default: the schema's. */
  logFormat?: Config["log"]["format"];
}

/** What is in force, or everything that is wrong. */
export type LoadedConfig =
  | ({ readonly ok: true; readonly config: Config; readonly source: string } & FileTree)
  | ({ readonly ok: false; readonly problems: readonly Problem[] } & Partial<FileTree>);

/** What a file says, as far as it could be read: for checks that go beyond it. */
export interface FileTree extends CheckedTree {
  /** Where relative paths start. */
  readonly directory: string;
}

/** Name of the token that `HOLDFAST_TOKEN` makes. */
const ENV_TOKEN_NAME = "env";

/**
 * Reads and checks the configuration that `serve` runs on.
 *
 * @example
 * ```ts
 * const loaded = await loadConfig({ file: "hub.jsonc", env: Deno.env.toObject() });
 * if (!loaded.ok) loaded.problems.forEach((each) => complain(describeProblem(each)));
 * ```
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const { flags = {}, env, logFormat } = options;
  const file = options.file ?? setting(env, "HOLDFAST_CONFIG");
  const overrides = overridesOf(flags, env);
  const parsed = file === undefined
    ? checkConfigValue(DEFAULT_CONFIG, { env, name: DEFAULT_NAME, overrides })
    : await parseFile(file, env, overrides);
  const token = envToken(env);
  const problems = [...parsed.ok ? [] : parsed.problems, ...token.problems];
  const directory = file === undefined ? "." : dirname(file);
  if (!parsed.ok || problems.length > 0) return { ...parsed, ok: false, problems, directory };
  const config = withLogFormat(withStateDirectory(parsed.config, env), parsed.tree, logFormat);
  return {
    ...parsed,
    directory,
    config: token.value === undefined ? config : withToken(config, token.value),
    source: file ?? DEFAULT_NAME,
  };
}

/** Reads and checks a file by itself, without flags and the `HOLDFAST_…` variables. */
export async function loadConfigFile(
  file: string,
  options: { env: Env },
): Promise<LoadedConfig> {
  const parsed = await parseFile(file, options.env, []);
  const directory = dirname(file);
  return parsed.ok ? { ...parsed, source: file, directory } : { ...parsed, directory };
}

async function parseFile(
  file: string,
  env: Env,
  overrides: readonly Override[],
): Promise<ParsedConfig> {
  const read = await readConfigText(file);
  if (!read.ok) return read;
  const { text, format } = read;
  const parsed = parseConfig(text, { reader: await readerOf(format), env, name: file, overrides });
  return parsed.ok ? { ...parsed, config: resolvePaths(parsed.config, dirname(file)) } : parsed;
}

/** Reads YAML or JSONC; what reads YAML is loaded where there is some, as it is large. */
async function readerOf(format: Format): Promise<TextReader> {
  return format === "yaml" ? (await import("./text/yaml.ts")).readYaml : readJsonc;
}

function overridesOf(flags: ConfigFlags, env: Env): Override[] {
  return [
    override(["listen"], ["--listen", flags.listen], env, "HOLDFAST_LISTEN"),
    override(["state", "dir"], ["--state", flags.state], env, "HOLDFAST_STATE").map((each) => ({
      ...each,
      value: resolve(each.value), // as it is meant where it was written, and not beside the file
    })),
    override(["workers"], ["--workers", flags.workers], env, "HOLDFAST_WORKERS"),
    override(["log", "level"], ["--log-level", flags.logLevel], env, "HOLDFAST_LOG_LEVEL"),
    override(["log", "format"], ["--log-format", flags.logFormat], env, "HOLDFAST_LOG_FORMAT"),
  ].flat();
}

function override(
  path: readonly string[],
  [flag, given]: readonly [string, string | undefined],
  env: Env,
  variable: string,
): Override[] {
  if (given !== undefined) return [{ path, value: given, from: flag }];
  const value = setting(env, variable);
  return value === undefined ? [] : [{ path, value, from: variable }];
}

function setting(env: Env, variable: string): string | undefined {
  const value = Object.hasOwn(env, variable) ? env[variable] : undefined;
  return value === "" ? undefined : value;
}

/** What systemd gives a unit with StateDirectory=, unless there is a setting; several have colons between. */
function withStateDirectory(config: Config, env: Env): Config {
  const [dir] = (setting(env, "STATE_DIRECTORY") ?? "").split(":");
  if (config.state.dir !== undefined || !dir) return config;
  return { ...config, state: { ...config.state, dir } };
}

/** The format of logs may depend on who reads them, unless a setting says otherwise. */
function withLogFormat(config: Config, tree: Tree, format: LoadOptions["logFormat"]): Config {
  if (format === undefined || asObject(asObject(tree)?.["log"])?.["format"] !== undefined) {
    return config;
  }
  return { ...config, log: { ...config.log, format } };
}

function envToken(env: Env): { value?: TokenConfig; problems: Problem[] } {
  const token = setting(env, "HOLDFAST_TOKEN");
  if (token === undefined) return { problems: [] };
  const result = tokenSchema.safeParse({ name: ENV_TOKEN_NAME, token });
  if (result.success) return { value: result.data, problems: [] };
  const expected = result.error.issues[0]?.message ?? "a token";
  return { problems: [{ where: "HOLDFAST_TOKEN", found: "a string", expected }] };
}

/**
 * Adds the environment's token. A file that names the same token has said what it may do, and a
 * file's token of the same name keeps its rights under the new value.
 */
function withToken(config: Config, token: TokenConfig): Config {
  const { tokens } = config.auth;
  if (tokens.some((each) => each.token === token.token)) return config;
  const named = tokens.some(({ name }) => name === token.name);
  const merged = named
    ? tokens.map((each) => each.name === token.name ? { ...each, token: token.token } : each)
    : [...tokens, token];
  return { ...config, auth: { ...config.auth, tokens: merged } };
}
