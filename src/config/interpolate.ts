import { type Path, pathText, type Tree } from "./tree.ts";

/** The environment, injected: this room never reads it by itself. */
export type Env = Readonly<Record<string, string | undefined>>;

export interface InterpolateOptions {
  env: Env;
  /** Whether a variable that is not set may be named here. Default: everywhere. */
  mayShowVariable?: (path: Path, variable: string) => boolean;
  /** An object or list was begun to be copied. */
  onCopied?: (container: object, copy: object, path: Path) => void;
}

/** Something that cannot be taken over, and where. */
export interface InterpolationProblem {
  readonly path: Path;
  readonly found: string;
  readonly expected: string;
}

export interface Interpolated {
  readonly tree: Tree;
  /** Paths whose value holds a variable's: problems must not show them. */
  readonly fromEnv: ReadonlySet<string>;
  readonly problems: readonly InterpolationProblem[];
  /** False if there was too much of it, so that only a part was copied. */
  readonly isComplete: boolean;
}

/** Most values in one file, with YAML aliases counted each time they are used; more is refused. */
export const MAX_VALUES = 50_000;

/** A string costs one value more for each so many characters, as an alias repeats it for free. */
const CHARACTERS_PER_VALUE = 1000;

/** Deepest nesting in one file; deeper (or circular, by a YAML alias) is refused. */
export const MAX_DEPTH = 32;

/** `$${` is a literal `${`; `${` begins a reference, which may turn out not to be one. */
const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g;

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Copies what a parser gave into plain data, putting `${NAME}` right in every string value. The
 * copy is also where data that no JSON could hold, too much of it, and keys that would reach for
 * a prototype are turned away.
 */
export function interpolate(value: unknown, options: InterpolateOptions): Interpolated {
  const { env, mayShowVariable = () => true, onCopied } = options;
  const fromEnv = new Set<string>();
  const problems: InterpolationProblem[] = [];
  let left = MAX_VALUES;
  let isTooMuch = false;

  function problem(path: Path, found: string, expected: string): null {
    problems.push({ path, found, expected });
    return null;
  }

  /** Ends the copying: what would follow is more of the same. */
  function tooMuch(path: Path, found: string, expected: string): null {
    if (isTooMuch) return null;
    isTooMuch = true;
    return problem(path, found, expected);
  }

  function copy(value: unknown, path: Path): Tree {
    left -= typeof value === "string" ? 1 + Math.floor(value.length / CHARACTERS_PER_VALUE) : 1;
    if (left < 0) return tooMuch([], `more than ${MAX_VALUES} values`, "fewer");
    if (path.length > MAX_DEPTH) {
      const top = path.slice(0, 3);
      return tooMuch(top, `nesting deeper than ${MAX_DEPTH}`, "less of it, and no circles");
    }
    if (value === null || typeof value === "boolean") return value;
    if (typeof value === "string") return copyString(value, path);
    if (typeof value === "number") {
      return Number.isFinite(value) ? value : problem(path, String(value), "a finite number");
    }
    if (Array.isArray(value)) return copyList(value, path);
    if (isPlainObject(value)) return copyObject(value, path);
    return problem(
      path,
      value instanceof Date ? "a date" : "a value that JSON has no form for",
      "a JSON value; put it in quotes to make it a string",
    );
  }

  function copyList(list: readonly unknown[], path: Path): Tree[] {
    const copied: Tree[] = [];
    onCopied?.(list, copied, path);
    for (const [index, each] of list.entries()) {
      if (isTooMuch) break;
      copied.push(copy(each, [...path, index]));
    }
    return copied;
  }

  function copyObject(object: object, path: Path): { [key: string]: Tree } {
    const copied: { [key: string]: Tree } = {};
    onCopied?.(object, copied, path);
    for (const [key, each] of Object.entries(object)) {
      if (isTooMuch) break;
      if (key === "__proto__") problem([...path, key], "a key that is not allowed", "another name");
      else copied[key] = copy(each, [...path, key]);
    }
    return copied;
  }

  function copyString(text: string, path: Path): string {
    return text.replace(REFERENCE, (_, variable: string | undefined, close: string) => {
      if (variable === undefined) return "${";
      if (close === "" || !VARIABLE.test(variable)) {
        // What follows is not quoted: it may be a secret that happens to hold these characters.
        problem(
          path,
          "a ${ that no variable's name and } follow",
          "${NAME} for a variable's value, or $${ for a literal ${",
        );
        return "";
      }
      fromEnv.add(pathText(path));
      const value = Object.hasOwn(env, variable) ? env[variable] : undefined;
      if (value === undefined && mayShowVariable(path, variable)) {
        problem(
          path,
          `\${${variable}}, which is not set`,
          `the environment variable ${variable} to be set`,
        );
      } else if (value === undefined) {
        problem(path, "a variable that is not set", "it to be set, or $${ for a literal ${");
      }
      return value ?? "";
    });
  }

  const tree = copy(value, []);
  return { tree, fromEnv, problems, isComplete: !isTooMuch };
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
