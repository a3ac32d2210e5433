/** What a reload would change, in words that never hold a secret. */
import { formatDuration } from "./duration.ts";
import { formatListen } from "./listen.ts";
import { excerpt } from "./problems.ts";
import { safeUrl } from "./safe_url.ts";
import type { Config } from "./schema.ts";

export interface Changes {
  /** Changes that a reload puts in force without dropping a client. */
  readonly applies: readonly string[];
  /** Changes that wait for a restart. */
  readonly needsRestart: readonly string[];
}

/**
 * What a reload puts in force. Of `tls` the files alone: turning it on or off makes another
 * server. Of `log` the level alone.
 */
const RELOADED = /^(backends|hooks|sources|auth|origins|hosts)\b|^log\.level$|^tls\./;

/** Values at and below these paths are not shown: they may well have come from the environment. */
const SECRET =
  /^auth\.tokens\.[^.]+\.token$|^auth\.jwt\.\d+\.secret$|^cluster\.nkey$|\.(headers|params)$|^hooks\.[^.]+\.(url|secret|body)$/;

const URLS = /\.(url|nats|proxy|jwks_url)$/;

/** Keys whose numbers are milliseconds; a test compares them with the schema. */
export const DURATION_KEYS: ReadonlySet<string> = new Set([
  "timeout",
  "min",
  "max",
  "open_for",
  "max_open_for",
  "every",
  "stale_after",
  "heartbeat_every",
  "ping_every",
  "request_timeout",
  "stall_timeout",
  "history_for",
  "clock_skew",
  "keep_keys_for",
  "incidents_for",
  "after",
  "remind",
  "drain",
  "reconnect_within",
  "lease",
  "grace",
]);

/** Tells what differs between the configuration in force and the next one. */
export function describeChanges(before: Config, after: Config): Changes {
  const changes = compare("", partsOf(before), partsOf(after));
  const lines = (reloaded: boolean) =>
    changes.filter(({ path }) => RELOADED.test(path) === reloaded).map(({ line }) => line);
  return { applies: lines(true), needsRestart: lines(false) };
}

/**
 * The parts of a configuration by path, with lists of named things keyed by those names: a source
 * that moved within its list is no change.
 */
function partsOf(config: Config): Record<string, unknown> {
  const { listen, backends, sources, auth, hooks, ...rest } = config;
  return {
    listen: formatListen(listen),
    ...prefixed("backends", Object.entries(backends)),
    ...prefixed("sources", sources.map(({ channel, ...source }) => [channel, source])),
    ...prefixed("hooks", hooks.map(({ name, ...hook }) => [name, hook])),
    ...prefixed("auth.tokens", auth.tokens.map(({ name, ...token }) => [name, token])),
    ...prefixed("auth.jwt", auth.jwt.map((jwt, index) => [String(index), jwt])),
    ...rest,
  };
}

function prefixed(prefix: string, entries: readonly [string, unknown][]): Record<string, unknown> {
  return Object.fromEntries(entries.map(([name, value]) => [`${prefix}.${name}`, value]));
}

interface Change {
  readonly path: string;
  readonly line: string;
}

function compare(path: string, before: unknown, after: unknown): Change[] {
  if (isRecord(before) && isRecord(after) && !SECRET.test(path)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) =>
      compare(path === "" ? key : `${path}.${key}`, before[key], after[key])
    );
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return [{ path, line: `${path}: ${changeOf(path, before, after)}` }];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function changeOf(path: string, before: unknown, after: unknown): string {
  if (before === undefined) return "added";
  if (after === undefined) return "removed";
  if (SECRET.test(path)) return "changed";
  const [old, next] = [show(path, before), show(path, after)];
  return old === next ? "changed" : `${old} -> ${next}`;
}

function show(path: string, value: unknown): string {
  if (URLS.test(path)) return [value].flat().map((url) => safeUrl(String(url))).join(", ");
  if (typeof value === "string") return excerpt(value);
  const key = path.slice(path.lastIndexOf(".") + 1);
  if (typeof value === "number" && DURATION_KEYS.has(key)) return formatDuration(value);
  return JSON.stringify(value);
}
