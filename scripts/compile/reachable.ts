import { BuildError, exec } from "./exec.ts";

/** `npm:` specifier of a module or an import map's value; the package with its version is kept. */
const PACKAGE = /^npm:\/?((?:@[^/]+\/)?[^@/]+@[^/_]+)/;

export interface ReachableOptions {
  /** The lock file to go by. Default that of `deno.json`. */
  lock?: string;
}

/**
 * The npm packages, such as `zod@4.6.7`, that a module or anything it imports asks for by itself.
 *
 * @throws {BuildError} If there is no such module.
 */
export async function reachablePackages(
  entry: string,
  options: ReachableOptions = {},
): Promise<Set<string>> {
  const { lock } = options;
  const { code, stdout, stderr } = await exec(Deno.execPath(), [
    ...["info", "--json", ...(lock === undefined ? [] : [`--lock=${lock}`])],
    entry,
  ]);
  if (code !== 0) throw new BuildError(`deno info failed:\n${firstLines(stderr)}`);
  const { modules } = JSON.parse(stdout) as { modules: readonly { readonly specifier: string }[] };
  return new Set(modules.flatMap(({ specifier }) => packageOf(specifier) ?? []));
}

/** The package of a specifier, with its version; `undefined` if it is none of npm. */
export function packageOf(specifier: string): string | undefined {
  return PACKAGE.exec(specifier)?.[1];
}

/** What a failed program said, without the trace of calls that Deno adds. */
export function firstLines(stderr: string): string {
  const [reason = ""] = stderr.split("\nStack backtrace:");
  return reason.trim();
}
