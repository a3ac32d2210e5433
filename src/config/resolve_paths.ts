import { isAbsolute, join } from "node:path";
import { type BackendConfig, type Config, SETTINGS } from "./schema.ts";
import type { Path } from "./tree.ts";

/**
 * Takes relative file paths of a configuration as relative to the file they stand in, so that a
 * service finds its certificates whatever directory it was started in.
 */
export function resolvePaths(config: Config, directory: string): Config {
  return resolved(config, [], directory) as Config;
}

/** The same for one backend by itself. */
export function resolveBackend<Backend extends BackendConfig>(
  name: string,
  backend: Backend,
  directory: string,
): Backend {
  return resolved(backend, ["backends", name], directory) as Backend;
}

function resolved(value: unknown, path: Path, directory: string): unknown {
  if (Array.isArray(value)) {
    return value.map((each, index) => resolved(each, [...path, index], directory));
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, resolved(each, [...path, key], directory)]),
    );
  }
  if (typeof value !== "string" || SETTINGS.at(path).file === undefined) return value;
  return isAbsolute(value) ? value : join(directory, value);
}
