/** What a reload would change, in words that never hold a secret. */
import { formatDuration } from "./duration.ts";
import { formatListen } from "./listen.ts";
import { excerpt } from "./problems.ts";
import { safeUrl } from "./safe_url.ts";
import { type Config, SETTINGS } from "./schema.ts";
import type { Path } from "./tree.ts";

export interface Changes {
  /** Changes that a reload puts in force without dropping a client. */
  readonly applies: readonly string[];
  /** Changes that wait for a restart. */
  readonly needsRestart: readonly string[];
}

/** Tells what differs between the configuration in force and the next one. */
export function describeChanges(before: Config, after: Config): Changes {
  const [old, next] = [partsOf(before), partsOf(after)];
  const changes = [...new Set([...old.keys(), ...next.keys()])].flatMap((name) => {
    const { at = [], value: then } = old.get(name) ?? {};
    const { at: path = at, value: now } = next.get(name) ?? {};
    return compare({ name, path }, then, now);
  });
  const lines = (isReloaded: boolean) =>
    changes.filter(({ path }) => (SETTINGS.at(path).reloads === true) === isReloaded)
      .map(({ line }) => line);
  return { applies: lines(true), needsRestart: lines(false) };
}

interface ConfigPart {
  /** Where it stands in the configuration. */
  readonly at: Path;
  readonly value: unknown;
}

/**
 * The parts of a configuration by how they are called, with lists of named things keyed by those
 * names: a source that moved within its list is no change.
 */
function partsOf(config: Config): Map<string, ConfigPart> {
  const { listen, backends, sources, channels, auth, hooks, ...rest } = config;
  const part = (
    name: string,
    at: Path,
    value: unknown,
  ): [string, ConfigPart] => [name, { at, value }];
  return new Map([
    part("listen", ["listen"], formatListen(listen)),
    ...Object.entries(backends)
      .map(([name, each]) => part(`backends.${name}`, ["backends", name], each)),
    ...sources.map(({ channel, ...each }, at) => part(`sources.${channel}`, ["sources", at], each)),
    ...Object.entries(channels)
      .map(([name, each]) => part(`channels.${name}`, ["channels", name], each)),
    ...hooks.map(({ name, ...each }, at) => part(`hooks.${name}`, ["hooks", at], each)),
    ...auth.tokens.map(({ name, ...each }, at) =>
      part(`auth.tokens.${name}`, ["auth", "tokens", at], each)
    ),
    ...auth.jwt.map((each, at) => part(`auth.jwt.${at}`, ["auth", "jwt", at], each)),
    ...Object.entries(rest).map(([key, each]) => part(key, [key], each)),
  ]);
}

interface SettingChange {
  readonly path: Path;
  readonly line: string;
}

interface Compared {
  /** How it is called in the line. */
  readonly name: string;
  readonly path: Path;
}

function compare({ name, path }: Compared, before: unknown, after: unknown): SettingChange[] {
  if (isRecord(before) && isRecord(after) && !SETTINGS.at(path).secret) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) =>
      compare({ name: `${name}.${key}`, path: [...path, key] }, before[key], after[key])
    );
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return [{ path, line: `${name}: ${changeOf(path, before, after)}` }];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function changeOf(path: Path, before: unknown, after: unknown): string {
  if (before === undefined) return "added";
  if (after === undefined) return "removed";
  if (SETTINGS.at(path).secret) return "changed";
  const [old, next] = [show(path, before), show(path, after)];
  return old === next ? "changed" : `${old} -> ${next}`;
}

function show(path: Path, value: unknown): string {
  const { url, unit, query } = SETTINGS.at(path);
  if (url) return [value].flat().map((each) => shownUrl(String(each))).join(", ");
  if (typeof value === "string") return excerpt(query ? value.replace(/\?.*/s, "?…") : value);
  return typeof value === "number" && unit === "ms" ? formatDuration(value) : JSON.stringify(value);
}

/** Where a word may stand in an address's place, such as "none", it is shown as it is. */
function shownUrl(text: string): string {
  return text.includes(":") ? safeUrl(text) : excerpt(text);
}
