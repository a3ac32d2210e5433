// deno-lint-ignore-file no-console -- a script speaks to its caller
/**
 * Makes one executable: `dist/holdfast` for this machine, or with `--target` (more than once, or
 * `all`) `dist/holdfast-VERSION-TARGET`, and enters their checksums into `dist/SHA256SUMS`. All it
 * needs is reached by imports, the page too (`src/page/built.ts`): nothing is read from beside it.
 *
 *   deno task compile [--target TARGET]… [--dist FOLDER]
 */
import {
  type BuildFiles,
  readCommit,
  readManifest,
  writeBuildFiles,
} from "./compile/build_files.ts";
import { CHECKSUMS, recordChecksums } from "./compile/checksums.ts";
import { checkDenortBin, isAboutDenort, twoWaysOut } from "./compile/denort.ts";
import { BuildError, exec } from "./compile/exec.ts";
import { misreadFolders } from "./compile/misread.ts";
import { PERMISSIONS } from "./compile/permissions.ts";
import { firstLines, reachablePackages } from "./compile/reachable.ts";
import { outputName, runsHere, type Target, targetOf, TARGETS } from "./compile/targets.ts";

const ENTRY = "main.ts";

/** Long enough to download a runtime of 40 MB over a slow line, in milliseconds. */
const COMPILE_MS = 600_000;

/** Bad usage, told from what goes wrong later by its exit code. */
class UsageError extends Error {}

interface Wish {
  /** `undefined` is this machine. */
  readonly targets: readonly (Target | undefined)[];
  /** The folder for what is made. */
  readonly dist: string;
}

function readArgs(args: readonly string[]): Wish {
  const rest = args.flatMap((arg) => arg.startsWith("--") ? splitFlag(arg) : [arg]);
  const targets: Target[] = [];
  let dist = "dist";
  while (rest.length > 0) {
    const [flag, value = ""] = rest.splice(0, 2);
    if (flag === "--target") targets.push(...targetsOf(value));
    else if (flag === "--dist" && value !== "") dist = value;
    else throw new UsageError(`what is "${flag}"? --target TARGET and --dist FOLDER are known`);
  }
  return { targets: targets.length === 0 ? [undefined] : [...new Set(targets)], dist };
}

/** `--flag=value` as two words. */
function splitFlag(arg: string): string[] {
  const [, flag = arg, value] = /^(--\w+)=(.*)$/.exec(arg) ?? [];
  return value === undefined ? [flag] : [flag, value];
}

/**
 * Room for young objects, in MB, as in the task `start`. V8 would take 16 and keep them for half a
 * minute after a crowd has come: a third more memory for each connection, and nothing gained.
 */
const V8_FLAGS = "--max-semi-space-size=8";

function targetsOf(name: string): readonly Target[] {
  if (name === "all") return TARGETS;
  const target = targetOf(name);
  if (target !== undefined) return [target];
  throw new UsageError(`--target must be one of ${TARGETS.join(", ")} or all: it is "${name}"`);
}

async function compile(target: Target | undefined, output: string, files: BuildFiles) {
  const { code, stderr } = await exec(Deno.execPath(), [
    "compile",
    ...PERMISSIONS,
    `--v8-flags=${V8_FLAGS}`,
    // `deno task check` is what checks types; other versions of Deno know other ones.
    "--no-check",
    // The cache would lie under a name that anybody can guess in /tmp, where another user could put
    // machine code for us to run; it makes no start faster that was measured.
    "--no-code-cache",
    ...(await misreadFolders(ENTRY)).map((path) => `--exclude=${path}`),
    `--config=${files.config}`,
    `--lock=${files.lock}`,
    ...(target === undefined ? [] : [`--target=${target}`]),
    // The thread that keeps the state is started by its file's name, which no import leads to.
    "--include=src/state/store_worker.ts",
    "--include=src/workers/thread.ts", // likewise
    `--output=${output}`,
    ENTRY,
  ], { timeoutMs: COMPILE_MS });
  if (code === 0) return;
  if (isAboutDenort(stderr)) throw await twoWaysOut(target);
  throw new BuildError(`deno compile failed:\n${firstLines(stderr)}`);
}

/** Runs the executable once: a runtime of another version gives one that does not start. */
async function tryOut(output: string, version: string): Promise<void> {
  const { code, stdout } = await exec(output, ["version"]);
  if (code === 0 && stdout.trim() === version) return;
  await Deno.remove(output);
  const { deno } = Deno.version;
  throw new BuildError(
    `${output} was made but did not start, so it was removed` +
      (Deno.env.get("DENORT_BIN") ? `: DENORT_BIN must name a denort of Deno ${deno}` : ""),
  );
}

async function main(args: readonly string[]): Promise<void> {
  const { targets, dist } = readArgs(args);
  const denort = Deno.env.get("DENORT_BIN");
  await checkDenortBin(denort);
  if (denort && targets.length > 1) {
    throw new UsageError("DENORT_BIN is a runtime for one target: name one --target");
  }
  const manifest = await readManifest();
  const commit = await readCommit(Deno.env.get("HOLDFAST_COMMIT"));
  const packages = await reachablePackages(ENTRY);
  const directory = `${dist}/.build`;
  await using files = await writeBuildFiles(manifest, { directory, commit, packages });
  const names: string[] = [];
  for (const target of targets) {
    const name = outputName(target, manifest.version);
    const output = `${dist}/${name}`;
    await compile(target, output, files);
    if (runsHere(target)) await tryOut(output, files.version);
    names.push(name);
  }
  for (const [name, sum] of await recordChecksums(dist, names)) {
    const { size } = await Deno.stat(`${dist}/${name}`);
    console.log(`${dist}/${name}: ${files.version}, ${(size / 1e6).toFixed(1)} MB, sha256 ${sum}`);
  }
  console.log(`checksums: ${dist}/${CHECKSUMS}`);
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    console.error(`compile: ${error instanceof Error ? error.message : error}`);
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}
