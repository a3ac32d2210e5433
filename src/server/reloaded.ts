import { type Config, SETTINGS } from "../config/schema.ts";
import type { Path } from "../config/tree.ts";

/**
 * The configuration in force after a reload: of the new one what can change under the clients, of
 * the old one the rest, which thereby goes on being told as waiting for a restart. Which is which
 * the schema says.
 */
export function reloaded(before: Config, after: Config): Config {
  return merge(before, after, []) as Config;
}

type Section = { readonly [key: string]: unknown };

function merge(before: unknown, after: unknown, path: Path): unknown {
  if (SETTINGS.at(path).reloads) return after;
  // A section that comes or goes makes something else of the hub: that is a restart.
  if (!isSection(before) || !isSection(after)) return before;
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return Object.fromEntries(
    [...keys].map((key): [string, unknown] => [
      key,
      merge(before[key], after[key], [...path, key]),
    ]).filter(([, value]) => value !== undefined),
  );
}

function isSection(value: unknown): value is Section {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
