import {
  LOG_FORMATS,
  LOG_LEVELS,
  type LogFormat,
  type LogLevel,
  type LogOptions,
} from "../telemetry/log.ts";
import type { Io } from "./io.ts";

/** Flags of commands that write logs but have no configuration file. */
export interface LogFlags {
  /** `--log-level`. */
  logLevel?: string;
  /** `--log-format`. */
  logFormat?: string;
}

export type LogSettings =
  | { readonly ok: true; readonly settings: Pick<LogOptions, "level" | "format"> }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads how logs are wanted: flag, else environment, else default. All problems at once. */
export function logSettings(
  { logLevel, logFormat }: LogFlags,
  env: Io["env"],
  defaults: { readonly level: LogLevel; readonly format: LogFormat },
): LogSettings {
  const problems: string[] = [];
  function choose<T extends string>(
    allowed: readonly T[],
    [flag, given]: readonly [string, string | undefined],
    variable: string,
    otherwise: T,
  ): T {
    const found = given ?? (env[variable] || undefined);
    if (found === undefined) return otherwise;
    const chosen = allowed.find((each) => each === (found === "warn" ? "warning" : found));
    if (chosen !== undefined) return chosen;
    const where = given === undefined ? variable : flag;
    problems.push(`${where}: found ${JSON.stringify(found)}; expected ${allowed.join(", ")}`);
    return otherwise;
  }
  const { level, format } = defaults;
  const settings = {
    level: choose(LOG_LEVELS, ["--log-level", logLevel], "HOLDFAST_LOG_LEVEL", level),
    format: choose(LOG_FORMATS, ["--log-format", logFormat], "HOLDFAST_LOG_FORMAT", format),
  };
  return problems.length === 0 ? { ok: true, settings } : { ok: false, problems };
}
