/** What is wrong with a configuration, in words that never hold a secret. */
import type * as z from "zod";
import { SETTINGS } from "./schema.ts";
import { isBesideSecret, shownPath } from "./secrecy.ts";
import type { Positions } from "./text/positions.ts";
import { type Path, pathText, type Tree, valueAt } from "./tree.ts";

/** One thing wrong. All of a configuration's problems are told at once. */
export interface Problem {
  /** The file, the flag or the environment variable it is in. */
  readonly where: string;
  /** The path inside a file, such as `sources[2].every`. */
  readonly path?: string;
  /** Counted from 1; absent where what is wrong stands in no file. */
  readonly line?: number;
  readonly column?: number;
  /** What was found there. Never a secret, nor anything that came from the environment. */
  readonly found: string;
  /** What is allowed there. */
  readonly expected: string;
}

/** The problem as one line. */
export function describeProblem(problem: Problem): string {
  const { where, path, line, column, found, expected } = problem;
  const at = [where, line, line === undefined ? undefined : column]
    .filter((each) => each !== undefined).join(":");
  return `${at}: ${path === undefined ? "" : `${path}: `}found ${found}; expected ${expected}`;
}

/** Longest piece of a value that is quoted in a problem, in characters. */
const EXCERPT = 48;

/** Control characters would let a file write to the terminal on which the problem is shown. */
export function excerpt(value: string): string {
  return JSON.stringify(value.length > EXCERPT ? `${value.slice(0, EXCERPT)}…` : value);
}

/** Where values came from, as far as problems must know. */
export interface Origins {
  /** Name of the file, for everything not listed in `overrides`. */
  readonly name: string;
  /** Paths whose value was built with a variable of the environment. */
  readonly fromEnv: ReadonlySet<string>;
  /** Paths set by a flag or a variable, with its name. */
  readonly overrides?: ReadonlyMap<string, string>;
  /** Where in the file what stands; absent where there is no file. */
  readonly source?: { readonly tree: Tree; readonly positions: Positions };
}

/** A value as a problem may show it. */
export function describeFound(value: Tree | undefined, path: Path, origins: Origins): string {
  if (value === undefined) return "nothing (it is missing)";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  if (origins.fromEnv.has(pathText(path))) return "a string (from the environment)";
  const traits = SETTINGS.at(path);
  if (typeof value !== "string") return traits.secret ? `a ${typeof value}` : String(value);
  const mayShow = traits.url && !traits.secret
    ? isPlainAddress(value)
    : !SETTINGS.mayHoldSecret(path);
  return mayShow && traits.file === undefined ? excerpt(value) : "a string";
}

/** An address, and one without a login or a query. */
function isPlainAddress(value: string): boolean {
  return /:\/\/|^\/|:\d+/.test(value) && !/[@?]/.test(value);
}

/** Reads zod's issues about `tree` as problems. */
export function problemsOf(
  issues: readonly z.core.$ZodIssue[],
  tree: Tree,
  origins: Origins,
): Problem[] {
  const problems = issues.flatMap((issue) => problemsOfIssue(issue, tree, origins));
  const seen = new Set<string>();
  return problems.filter((problem) => {
    const line = describeProblem(problem);
    if (seen.has(line)) return false;
    seen.add(line);
    return true;
  });
}

function problemsOfIssue(issue: z.core.$ZodIssue, tree: Tree, origins: Origins): Problem[] {
  const path = issue.path.map((step) => typeof step === "symbol" ? String(step) : step);
  if (issue.code === "unrecognized_keys") {
    const answers = issue.message.split("\n");
    return issue.keys.map((key, index) =>
      problemAt([...path, key], origins, {
        found: "an unknown key",
        expected: answers[index] ?? issue.message,
        isKey: true,
      })
    );
  }
  if (issue.code === "invalid_key") {
    const expected = issue.issues[0]?.message ?? issue.message;
    return [
      problemAt(path, origins, { found: "a key that is not allowed", expected, isKey: true }),
    ];
  }
  if (issue.code === "invalid_union") {
    const meant = meantBranch(issue);
    if (meant !== undefined) {
      return meant.flatMap((each) =>
        problemsOfIssue({ ...each, path: [...issue.path, ...each.path] }, tree, origins)
      );
    }
  }
  const given = issue.code === "custom" ? issue.params?.["found"] : undefined;
  const value = valueAt(tree, path);
  const isGiven = typeof given === "string" && !origins.fromEnv.has(pathText(path));
  const found = isGiven
    ? given
    : typeof value === "string" && isBesideSecret(path, SETTINGS)
    ? "a string"
    : describeFound(value, path, origins);
  return [problemAt(path, origins, { found, expected: issue.message })];
}

/**
 * Where a value may have one form or another and has neither: the issues of the one form that it
 * has from the outside, such as a list, if there is just one.
 */
function meantBranch(
  issue: Extract<z.core.$ZodIssue, { code: "invalid_union" }>,
): readonly z.core.$ZodIssue[] | undefined {
  const [meant, ...others] = issue.errors.filter((branch) =>
    !branch.some(({ code, path }) => code === "invalid_type" && path.length === 0)
  );
  return others.length === 0 ? meant : undefined;
}

/** What a problem says, and whether it is the key itself that is wrong. */
export interface ProblemWords {
  readonly found: string;
  readonly expected: string;
  readonly isKey?: true;
}

/** A problem at a path, blamed on the flag or variable that set it, if one did. */
export function problemAt(path: Path, origins: Origins, words: ProblemWords): Problem {
  const { found, expected, isKey } = words;
  const override = origins.overrides?.get(pathText(path));
  if (override !== undefined) return { where: override, found, expected };
  const { source } = origins;
  const position = source?.positions.locate(source.tree, path, isKey ? "key" : "value");
  const shown = shownPath(path, SETTINGS);
  return {
    where: origins.name,
    ...(shown === "" ? {} : { path: shown }),
    ...position,
    found,
    expected,
  };
}

/** Problems in the order of the file; those that stand in none come first. */
export function sortedByPlace(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) =>
    (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)
  );
}
