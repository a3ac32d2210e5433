/**
 * Misspelt keys and transports: each is one problem, and is taken for what was meant, so that what
 * stands below it is checked with the rest and nothing is called missing.
 */
import { KEY_ALIASES, TRANSPORT_ALIASES } from "./aliases.ts";
import { describeFound, type Origins, type Problem, problemAt } from "./problems.ts";
import { SETTINGS } from "./schema.ts";
import { type Aliases, meant, oneOf } from "./suggest.ts";
import type { SettingNode } from "./traits.ts";
import { asObject, type Path, pathText, type Tree } from "./tree.ts";

export interface Corrections {
  readonly problems: readonly Problem[];
  /** What stands here was meant for something of another form: further problems say nothing. */
  readonly guessed: ReadonlySet<string>;
}

/** Values that are names of a few, with the names that people bring for them. */
const CHOICES: Readonly<Record<string, Aliases>> = { transport: TRANSPORT_ALIASES };

/** Corrects a tree in place, and tells what was wrong in it. */
export function correct(tree: Tree, origins: Origins): Corrections {
  const problems: Problem[] = [];
  const guessed = new Set<string>();

  function visit(value: Tree, node: SettingNode, path: Path): void {
    if (Array.isArray(value)) {
      for (const [index, each] of value.entries()) visitChild(each, node, [...path, index]);
      return;
    }
    const object = asObject(value);
    if (object === undefined) return;
    if (node.keys !== undefined) correctKeys(object, node.keys, path);
    const form = node.choice === undefined ? node : formOf(object, node.choice, path) ?? node;
    for (const [key, each] of Object.entries(object)) visitChild(each, form, [...path, key]);
  }

  function visitChild(value: Tree, node: SettingNode, path: Path): void {
    const step = path.at(-1);
    const child = step === undefined ? undefined : node.child(step);
    if (child !== undefined) visit(value, child, path);
  }

  function correctKeys(
    object: { [key: string]: Tree },
    known: readonly string[],
    path: Path,
  ): void {
    for (const key of Object.keys(object)) {
      if (known.includes(key)) continue;
      const free = known.filter((each) => !Object.hasOwn(object, each));
      const likely = meant(key, free, KEY_ALIASES);
      if (likely === undefined) continue;
      problems.push(problemAt([...path, key], origins, {
        found: "an unknown key",
        expected: oneOf(known, key, KEY_ALIASES),
        isKey: true,
      }));
      object[likely] = object[key] ?? null;
      delete object[key];
      origins.source?.positions.renamed(object, key, likely);
      if (KEY_ALIASES[key.toLowerCase()] === likely) guessed.add(pathText([...path, likely]));
    }
  }

  /** The form that the deciding key says, corrected if it is misspelt. */
  function formOf(
    object: { [key: string]: Tree },
    { key, forms }: NonNullable<SettingNode["choice"]>,
    path: Path,
  ): SettingNode | undefined {
    const value = object[key];
    if (typeof value !== "string") return undefined;
    const known = [...forms.keys()];
    if (known.includes(value)) return forms.get(value);
    const aliases = CHOICES[key];
    const likely = meant(value, known, aliases);
    if (likely === undefined || origins.fromEnv.has(pathText([...path, key]))) return undefined;
    const at = [...path, key];
    const found = describeFound(value, at, origins);
    problems.push(problemAt(at, origins, { found, expected: oneOf(known, value, aliases) }));
    object[key] = likely;
    return forms.get(likely);
  }

  visit(tree, SETTINGS.root, []);
  return { problems, guessed };
}
