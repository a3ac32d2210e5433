import { parseConfig, type ParseOptions } from "../../src/config/parse.ts";
import { describeProblem } from "../../src/config/problems.ts";
import type { Config } from "../../src/config/schema.ts";
import { assert } from "../support/assert.ts";

/** The name under which test texts are parsed. */
export const NAME = "hub.jsonc";

const OPTIONS: ParseOptions = { format: "jsonc", env: {}, name: NAME };

/** The configuration that `value` is, which must be in order. */
export function configOf(value: unknown, options: Partial<ParseOptions> = {}): Config {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const parsed = parseConfig(text, { ...OPTIONS, ...options });
  assert(parsed.ok, parsed.ok ? "" : parsed.problems.map(describeProblem).join("\n"));
  return parsed.config;
}

/** The problems of `value` as lines, without the file's name and the place of a setting in it. */
export function linesOf(value: unknown, options: Partial<ParseOptions> = {}): string[] {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const parsed = parseConfig(text, { ...OPTIONS, ...options });
  if (parsed.ok) return [];
  return parsed.problems.map(({ line, column, ...rest }) => {
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
