// @ts-types="../std_types/jsonc.d.ts"
import { parse as parseJsonc } from "@std/jsonc";
// @ts-types="../std_types/yaml.d.ts"
import { parse as parseYaml } from "@std/yaml";
import { findDuplicateKeys } from "./duplicate_keys.ts";
import type { Problem } from "./problems.ts";

/** How a configuration is written. */
export type Format = "jsonc" | "yaml";

/** What came of reading a text: data of no known shape yet, or why it cannot be read. */
export type Syntax =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const TOP = "an object of settings; `holdfast config example` prints one";

/**
 * Parses the text of a file. Problems tell line and column, and never quote the text: a slip of
 * syntax is as likely within a secret as anywhere. Never throws.
 */
export function parseSyntax(text: string, format: Format, name: string): Syntax {
  const content = text.startsWith("\ufeff") ? text.slice(1) : text;
  if (content.trim() === "") return bad({ where: name, found: "an empty file", expected: TOP });
  const parsed = format === "yaml" ? readYaml(content, name) : readJsonc(content, name);
  if (!parsed.ok) return parsed;
  const { value } = parsed;
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return parsed;
  const found = value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
  return bad({ where: name, found: `${found} at the top`, expected: TOP });
}

function readJsonc(text: string, name: string): Syntax {
  let value: unknown;
  try {
    value = parseJsonc(text);
  } catch (error) {
    if (error instanceof RangeError) return bad(tooDeep(name));
    const [, digits] = / at position (\d+)$/.exec(String(error)) ?? [];
    if (digits === undefined) {
      const end = text.trimEnd().length;
      const found = "the end of the file too early";
      return bad({ where: name, ...position(text, end), found, expected: JSON_RULES });
    }
    const at = Number(digits);
    const { found, expected } = tokenAt(text, at);
    return bad({ where: name, ...position(text, at), found, expected });
  }
  const problems = findDuplicateKeys(text).map(({ key, at }): Problem => ({
    where: name,
    ...position(text, at),
    found: `the key ${JSON.stringify(key.slice(0, 64))} a second time`,
    expected: "each key once in its object",
  }));
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value };
}

const JSON_RULES = "JSON with comments: keys and strings in double quotes, brackets closed";

function tokenAt(text: string, at: number): { found: string; expected: string } {
  const character = text[at] ?? "";
  if ("{}[]:,".includes(character)) return { found: `"${character}"`, expected: JSON_RULES };
  if (character !== `"`) {
    return { found: "something that is no JSON value", expected: JSON_RULES };
  }
  return {
    found: "a string that is out of place or not well formed",
    expected:
      'a comma before it, a double quote at its end, and a backslash before each " or \\ in it',
  };
}

/** Line and column of an offset, counted from 1. */
function position(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at).split(/\r\n|\r|\n/);
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

function readYaml(text: string, name: string): Syntax {
  try {
    return { ok: true, value: parseYaml(text) };
  } catch (error) {
    if (error instanceof RangeError) return bad(tooDeep(name));
    const { line, column } = error as { line?: unknown; column?: unknown };
    return bad({
      where: name,
      ...(typeof line === "number" && typeof column === "number" ? { line, column } : {}),
      found: `text that is not YAML (${yamlReason(error)})`,
      expected: "one YAML document; put strings with ${…}, : or # in quotes",
    });
  }
}

/** The parser's reason up to where it begins to quote the file. */
function yamlReason(error: unknown): string {
  const message = error instanceof Error ? error.message : "";
  const [reason = ""] = message.split(/ at line |\n|"|!</);
  return reason.trim() === "" ? "it could not be read" : reason.trim().toLowerCase();
}

function tooDeep(name: string): Problem {
  return { where: name, found: "nesting too deep to read", expected: "a flatter file" };
}

function bad(problem: Problem): Syntax {
  return { ok: false, problems: [problem] };
}
