import { parseConfig, type ParseOptions } from "../../src/config/parse.ts";
import { readJsonc } from "../../src/config/text/jsonc.ts";
import { readYaml } from "../../src/config/text/yaml.ts";
import { describeProblem } from "../../src/config/problems.ts";
import type { Config } from "../../src/config/schema.ts";
import { assert } from "../support/assert.ts";

/** The name under which test texts are parsed. */
export const NAME = "hub.jsonc";

/** As a file's ending says. */
type Format = "jsonc" | "yaml";

export const READERS = { jsonc: readJsonc, yaml: readYaml } as const;

/** How a test's text is parsed; the format in place of its reader. */
export type TestOptions = Partial<Omit<ParseOptions, "reader">> & { format?: Format };

function parsed(value: unknown, { format = "jsonc", ...options }: TestOptions) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return parseConfig(text, { reader: READERS[format], env: {}, name: NAME, ...options });
}

/** The configuration that `value` is, which must be in order. */
export function configOf(value: unknown, options: TestOptions = {}): Config {
  const result = parsed(value, options);
  assert(result.ok, result.ok ? "" : result.problems.map(describeProblem).join("\n"));
  return result.config;
}

/** The problems of `value` as lines, without the file's name and the place of a setting in it. */
export function linesOf(value: unknown, options: TestOptions = {}): string[] {
  const result = parsed(value, options);
  if (result.ok) return [];
  return result.problems.map(({ line, column, ...rest }) => {
    const isPlaced = rest.path === undefined && line !== undefined;
    const problem = isPlaced
      ? { ...rest, line, ...(column === undefined ? {} : { column }) }
      : rest;
    return describeProblem(problem).replace(`${NAME}: `, "");
  });
}

/** A backend and a source for it, to be changed by tests. */
export const CORE = { transport: "json-rpc", url: "http://127.0.0.1:9090/rpc" } as const;
export const SOURCE = { channel: "system_status", backend: "core", method: "Get" } as const;
