/** Plain data as read from a file, before anything is known about it. */

export type Tree = null | boolean | number | string | Tree[] | { [key: string]: Tree };

/** Steps from the top to a value: keys and list indexes. */
export type Path = readonly (string | number)[];

/** A path as it is written in problems: `sources[2].every`. The top is the empty string. */
export function pathText(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (!/^[A-Za-z0-9_$-]+$/.test(step)) text += `[${JSON.stringify(step.slice(0, 64))}]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}

/** An object of a tree; `undefined` for anything else. */
export function asObject(tree: Tree | undefined): { [key: string]: Tree } | undefined {
  return typeof tree === "object" && tree !== null && !Array.isArray(tree) ? tree : undefined;
}

/** A list of a tree; an empty one for anything else. */
export function asList(tree: Tree | undefined): readonly Tree[] {
  return Array.isArray(tree) ? tree : [];
}

/** A string of a tree; `undefined` for anything else. */
export function asString(tree: Tree | undefined): string | undefined {
  return typeof tree === "string" ? tree : undefined;
}

/** What stands at `path`; `undefined` if nothing does. Never looks at a prototype. */
export function valueAt(tree: Tree | undefined, path: Path): Tree | undefined {
  let value = tree;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) {
      return undefined;
    }
    value = (value as { [key: string]: Tree })[step];
  }
  return value;
}
