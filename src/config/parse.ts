import { crossCheck } from "./cross_checks.ts";
import { type Env, interpolate } from "./interpolate.ts";
import { type Origins, type Problem, problemsOf } from "./problems.ts";
import { type Config, configSchema } from "./schema.ts";
import { type Format, parseSyntax } from "./syntax.ts";
import { asObject, type Path, pathText, type Tree } from "./tree.ts";

/** A checked configuration, or everything that is wrong with it. */
export type ParsedConfig =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Most problems told of one configuration; how many more there are is told in one line. */
const MAX_PROBLEMS = 100;

/** A setting given by a flag or a variable; it takes the place of the file's. */
export interface Override {
  readonly path: Path;
  readonly value: string;
  /** The flag or variable, as problems should name it. */
  readonly from: string;
}

export interface ParseOptions {
  format: Format;
  /** For `${NAME}` in strings. */
  env: Env;
  /** Name of the file, for problems. */
  name: string;
  /** Settings from elsewhere. Default none. */
  overrides?: readonly Override[];
}

/** Reads a configuration from its text. Pure, and never throws. */
export function parseConfig(text: string, options: ParseOptions): ParsedConfig {
  const syntax = parseSyntax(text, options.format, options.name);
  return syntax.ok ? checkConfigValue(syntax.value, options) : syntax;
}

/** Checks a configuration that is data already. Pure, and never throws. */
export function checkConfigValue(
  value: unknown,
  options: Omit<ParseOptions, "format">,
): ParsedConfig {
  const { env, name, overrides = [] } = options;
  const { tree, fromEnv, problems, isComplete } = interpolate(value, { env, name });
  if (!isComplete) return { ok: false, problems };
  for (const override of overrides) put(tree, override);
  const origins: Origins = {
    name,
    fromEnv,
    overrides: new Map(overrides.map(({ path, from }) => [pathText(path), from])),
  };
  const result = configSchema.safeParse(tree);
  const told = new Set(problems.map(({ path }) => path));
  const all = [
    ...problems,
    ...[...problemsOf(result.error?.issues ?? [], tree, origins), ...crossCheck(tree, origins)]
      // What became of a variable that is not set is no news.
      .filter(({ path }) => path === undefined || !told.has(path)),
  ];
  if (!result.success || all.length > 0) return { ok: false, problems: bounded(all, name) };
  const { $schema: _, ...config } = result.data;
  return { ok: true, config };
}

/** Sets a value; where the file has something else than an object on the way, that is the problem. */
function put(tree: Tree, { path, value }: Override): void {
  let target = asObject(tree);
  for (const step of path.slice(0, -1)) {
    if (target === undefined) return;
    if (!Object.hasOwn(target, step)) target[step] = {};
    target = asObject(target[step]);
  }
  const last = path.at(-1);
  if (target !== undefined && last !== undefined) target[last] = value;
}

function bounded(problems: readonly Problem[], where: string): readonly Problem[] {
  const more = problems.length - MAX_PROBLEMS;
  if (more <= 0) return problems;
  const rest: Problem = { where, found: `${more} more problems`, expected: "none" };
  return [...problems.slice(0, MAX_PROBLEMS), rest];
}
