/** What is wrong with a configuration, in words that never hold a secret. */
import type * as z from "zod";
import { type Path, pathText, type Tree, valueAt } from "./tree.ts";

/** One thing wrong. All of a configuration's problems are told at once. */
export interface Problem {
  /** The file, the flag or the environment variable it is in. */
  readonly where: string;
  /** The path inside a file, such as `sources[2].every`. */
  readonly path?: string;
  /** Counted from 1; known where the text itself could not be read. */
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

/** Control characters would let a file write to the terminal of whoever reads the problem. */
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
}

/** A value as a problem may show it. */
export function describeFound(value: Tree | undefined, path: Path, origins: Origins): string {
  if (value === undefined) return "nothing (it is missing)";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  if (origins.fromEnv.has(pathText(path))) return "a string (from the environment)";
  if (isSecret(path)) return `a ${typeof value}`;
  if (typeof value === "string") {
    return mayHoldCredentials(path, value) ? "a string" : excerpt(value);
  }
  return String(value);
}

/** Keys below `auth` whose values are no secrets. */
const OPEN_AUTH_KEYS = new Set([
  "name",
  "channels",
  "publish",
  "issuer",
  "audience",
  "clock_skew",
  "jwks_url",
]);

/** Keys of a hook whose values are no secrets. */
const OPEN_HOOK_KEYS = new Set(["name", "on", "backends", "channels", "after", "remind"]);

/**
 * Whether a path is one where secrets live. A secret put in the wrong place nearby, such as a
 * token given as a bare string, counts as well.
 */
function isSecret(path: Path): boolean {
  const keys = path.filter((step) => typeof step === "string");
  if (keys[0] === "auth") return !keys.some((key) => OPEN_AUTH_KEYS.has(key));
  if (keys[0] === "cluster" && keys[1] === "nkey") return true;
  // The address of a chat tool's hook is a secret like any token.
  if (keys[0] === "hooks") return !keys.some((key) => OPEN_HOOK_KEYS.has(key));
  return keys.includes("headers") || keys.includes("params");
}

function mayHoldCredentials(path: Path, value: string): boolean {
  // A list of URLs is as its key.
  const key = path.findLast((step) => typeof step === "string");
  return (key === "url" || key === "nats" || key === "jwks_url" || key === "proxy") &&
    /[@?]/.test(value);
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
      })
    );
  }
  if (issue.code === "invalid_key") {
    const expected = issue.issues[0]?.message ?? issue.message;
    return [problemAt(path, origins, { found: "a key that is not allowed", expected })];
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
  const found = typeof given === "string" && !origins.fromEnv.has(pathText(path))
    ? given
    : describeFound(valueAt(tree, path), path, origins);
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

/** A problem at a path, blamed on the flag or variable that set it, if one did. */
export function problemAt(
  path: Path,
  origins: Origins,
  words: { found: string; expected: string },
): Problem {
  const key = pathText(path);
  const override = origins.overrides?.get(key);
  if (override !== undefined) return { where: override, ...words };
  return { where: origins.name, ...(key === "" ? {} : { path: key }), ...words };
}
