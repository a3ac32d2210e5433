import { correct } from "./corrections.ts";
import { crossCheck } from "./cross_checks.ts";
import { type Env, interpolate } from "./interpolate.ts";
import { type Origins, type Problem, problemAt, problemsOf, sortedByPlace } from "./problems.ts";
import { type Config, configSchema, SETTINGS } from "./schema.ts";
import { mayShowKey } from "./secrecy.ts";
import type { Positions } from "./text/positions.ts";
import type { RepeatedKey, TextReader } from "./text/reading.ts";
import { parseSyntax } from "./text/syntax.ts";
import { asObject, type Path, pathText, type Tree } from "./tree.ts";

/** The values of a file, for checks that go beyond it. */
export interface CheckedTree {
  readonly tree: Tree;
  readonly origins: Origins;
}

/** A checked configuration, or everything that is wrong with it. */
export type ParsedConfig =
  | ({ readonly ok: true; readonly config: Config } & CheckedTree)
  | ({ readonly ok: false; readonly problems: readonly Problem[] } & Partial<CheckedTree>);

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
  /** For the format it is written in. */
  reader: TextReader;
  /** For `${NAME}` in strings. */
  env: Env;
  /** Name of the file, for problems. */
  name: string;
  /** Settings from elsewhere. Default none. */
  overrides?: readonly Override[];
}

/** Reads a configuration from its text. Pure, and never throws. */
export function parseConfig(text: string, options: ParseOptions): ParsedConfig {
  const syntax = parseSyntax(text, options.reader, options.name);
  if (!syntax.ok) return syntax;
  const { value, positions, repeated } = syntax;
  return check(value, options, { positions, repeated });
}

/** Checks a configuration that is data already. Pure, and never throws. */
export function checkConfigValue(
  value: unknown,
  options: Omit<ParseOptions, "reader">,
): ParsedConfig {
  return check(value, options);
}

interface Text {
  readonly positions: Positions;
  readonly repeated: readonly RepeatedKey[];
}

function check(value: unknown, options: Omit<ParseOptions, "reader">, text?: Text): ParsedConfig {
  const { env, name, overrides = [] } = options;
  const containers = new Map<object, Path>();
  const copied = interpolate(value, {
    env,
    mayShowVariable: (path, variable) =>
      !SETTINGS.mayHoldSecret(path) || /^[A-Z][A-Z0-9_]*$/.test(variable),
    onCopied(container, copy, path) {
      if (!containers.has(container)) containers.set(container, path);
      text?.positions.copied(container, copy);
    },
  });
  const { tree, fromEnv, isComplete } = copied;
  const origins: Origins = {
    name,
    fromEnv,
    overrides: new Map(overrides.map(({ path, from }) => [pathText(path), from])),
    ...(text === undefined ? {} : { source: { tree, positions: text.positions } }),
  };
  const problems = [
    ...copied.problems.map(({ path, ...words }) => problemAt(path, origins, words)),
    ...repeatedKeys(text, containers, name),
  ];
  if (!isComplete) return { ok: false, problems };
  for (const override of overrides) put(tree, override);
  const { problems: misspelt, guessed } = correct(tree, origins);
  problems.push(...misspelt);
  const told = new Set(
    copied.problems.map(({ path }) => placeOf(problemAt(path, origins, NOTHING))),
  );
  const result = configSchema.safeParse(tree);
  const further = [
    ...problemsOf(result.error?.issues ?? [], tree, origins),
    ...crossCheck(tree, origins),
  ].filter((problem) =>
    // What became of a variable that is not set, or of a guess, is no news.
    !told.has(placeOf(problem)) && !isBelow(problem.path, guessed)
  );
  const all = sortedByPlace([...problems, ...further]);
  if (!result.success || all.length > 0) {
    return { ok: false, problems: bounded(all, name), tree, origins };
  }
  const { $schema: _, ...config } = result.data;
  return { ok: true, config, tree, origins };
}

const NOTHING = { found: "", expected: "" };

function placeOf({ path, line, column }: Problem): string {
  return `${line}:${column}:${path}`;
}

function isBelow(path: string | undefined, places: ReadonlySet<string>): boolean {
  return [...places].some((place) => path === place || path?.startsWith(`${place}.`));
}

/** A key that stands twice, and which may be shown. */
function repeatedKeys(
  text: Text | undefined,
  containers: ReadonlyMap<object, Path>,
  where: string,
): Problem[] {
  return (text?.repeated ?? []).map(({ container, key, at }): Problem => {
    const isShown = mayShowKey(key, containers.get(container) ?? [], SETTINGS);
    const shown = isShown ? ` ${JSON.stringify(key.slice(0, 64))}` : "";
    return {
      where,
      ...text?.positions.lineColumn(at),
      found: shown === "" ? "a key a second time" : `the key${shown} a second time`,
      expected: "each key once in its object",
    };
  });
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

/** The first hundred of many, and how many more there are. */
export function bounded(problems: readonly Problem[], where: string): readonly Problem[] {
  const more = problems.length - MAX_PROBLEMS;
  if (more <= 0) return problems;
  const rest: Problem = { where, found: `${more} more problems`, expected: "none" };
  return [...problems.slice(0, MAX_PROBLEMS), rest];
}
