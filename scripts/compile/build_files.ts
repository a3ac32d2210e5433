/**
 * The configuration that an executable is compiled with, in place of `deno.json`. It differs in two
 * ways. The version has the commit as build metadata (`0.1.0+3f2a9c1d4e5b`, as in Semantic Versioning
 * 2.0, section 10), and stands in for `deno.json` where `src/cli/version.ts` imports that: so no
 * tracked file is touched. And of the packages only those are left that the program imports, since
 * Deno embeds all there are, those of the tests and of the build too (190 instead of 116 MB).
 */
import { relative } from "node:path/posix";
import { BuildError, exec } from "./exec.ts";
import { type LockFile, reducedLock } from "./lock_file.ts";
import { packageOf } from "./reachable.ts";

/** As much of `deno.json` as matters here. */
export interface Manifest {
  readonly version: string;
  readonly imports: Readonly<Record<string, string>>;
  /** What of the runtime is used although it may still change. */
  readonly unstable?: readonly string[];
}

export interface BuildFiles extends AsyncDisposable {
  /** Path of the configuration to compile with. */
  readonly config: string;
  /** Path of its lock file. */
  readonly lock: string;
  /** The version with the commit, as the executable tells it. */
  readonly version: string;
}

/** Digits of a commit: enough for any project, and the same on every machine. */
const COMMIT_DIGITS = 12;

/** Reads `deno.json` of the working directory. */
export async function readManifest(): Promise<Manifest> {
  return JSON.parse(await Deno.readTextFile("deno.json"));
}

export interface BuildFilesOptions {
  /** Where the files go. */
  directory: string;
  commit: string | undefined;
  /** Packages to keep, such as `zod@4.6.7`. */
  packages: ReadonlySet<string>;
}

/** Writes configuration and lock file into a folder, which goes when the result is disposed of. */
export async function writeBuildFiles(
  manifest: Manifest,
  options: BuildFilesOptions,
): Promise<BuildFiles> {
  const { directory, commit, packages } = options;
  const { unstable = [] } = manifest;
  const version = commit === undefined ? manifest.version : `${manifest.version}+${commit}`;
  const config = `${directory}/deno.json`;
  const lock = `${directory}/deno.lock`;
  const kept = Object.entries(manifest.imports).filter(([, specifier]) => {
    const name = packageOf(specifier);
    return name === undefined || packages.has(name);
  });
  // Not absolute: the executable holds the map.
  const original = relative(directory, "deno.json");
  const imports = { ...Object.fromEntries(kept), [original]: "./deno.json" };
  await Deno.mkdir(directory, { recursive: true });
  await Deno.writeTextFile(config, `${JSON.stringify({ version, unstable, imports }, null, 2)}\n`);
  const whole: LockFile = JSON.parse(await Deno.readTextFile("deno.lock"));
  const specifiers = kept.flatMap(([, specifier]) => packageOf(specifier) ?? []);
  await Deno.writeTextFile(lock, JSON.stringify(reducedLock(whole, specifiers), null, 2));
  return {
    config,
    lock,
    version,
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
}

/**
 * The commit of the working directory, with `.modified` if tracked files differ from it; `undefined`
 * outside a checkout or without git. `HOLDFAST_COMMIT` says it where there is no checkout.
 *
 * @throws {BuildError} If `HOLDFAST_COMMIT` is not hexadecimal.
 */
export async function readCommit(given: string | undefined): Promise<string | undefined> {
  if (given) {
    if (/^[0-9a-f]{7,40}$/.test(given)) return given.slice(0, COMMIT_DIGITS);
    throw new BuildError(`HOLDFAST_COMMIT must be 7 to 40 hexadecimal digits: it is "${given}"`);
  }
  const top = await git("rev-parse", "--show-toplevel");
  // A folder inside some other checkout has that one's commit, which says nothing about us.
  if (top === undefined || await Deno.realPath(top) !== await Deno.realPath(".")) return undefined;
  const commit = await git("rev-parse", `--short=${COMMIT_DIGITS}`, "HEAD");
  if (commit === undefined) return undefined;
  const changes = await git("status", "--porcelain", "--untracked-files=no");
  return changes === "" ? commit : `${commit}.modified`;
}

async function git(...args: string[]): Promise<string | undefined> {
  try {
    const { code, stdout } = await exec("git", args);
    return code === 0 ? stdout.trim() : undefined;
  } catch {
    return undefined; // there is no git
  }
}
