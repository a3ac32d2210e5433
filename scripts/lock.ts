// deno-lint-ignore-file no-console -- a script speaks to its caller
/**
 * Brings both lock files up to date with `deno.json`. `deno.dev.lock` has every package. `deno.lock`
 * has those that the program itself runs and no others, since Deno fetches all of it before it runs
 * any task: a first `deno task start` is not to fetch what only tests need.
 *
 *   deno run --no-lock --allow-all scripts/lock.ts
 *
 * This is no task, as Deno runs none while its lock file is out of date.
 */
import { BuildError, exec } from "./compile/exec.ts";
import { type LockFile, reducedLock } from "./compile/lock_file.ts";
import { firstLines, reachablePackages } from "./compile/reachable.ts";

/** Of the program alone; Deno takes it where no other is named. */
export const PROGRAM_LOCK = "deno.lock";
/** Of tests, scripts and the page's build as well. */
export const DEVELOPMENT_LOCK = "deno.dev.lock";

/** The program, and the threads that it starts by their files' names. */
const ENTRIES = ["main.ts", "src/state/store_worker.ts", "src/workers/thread.ts"];

/** Long enough to fetch all packages over a slow line, and to check every file. */
const CHECK_MS = 600_000;

/** The text that `deno.lock` must have beside this `deno.dev.lock`. */
export async function programLock(): Promise<string> {
  const whole: LockFile = JSON.parse(await Deno.readTextFile(DEVELOPMENT_LOCK));
  const packages = new Set<string>();
  for (const entry of ENTRIES) {
    for (const name of await reachablePackages(entry, { lock: DEVELOPMENT_LOCK })) {
      packages.add(name);
    }
  }
  // Deno holds a lock file that does not list all of `deno.json` for an old one.
  const lock = { ...reducedLock(whole, packages), workspace: whole.workspace };
  return `${JSON.stringify(lock, null, 2)}\n`;
}

async function main(): Promise<void> {
  const { code, stderr } = await exec(Deno.execPath(), [
    ...["check", "--quiet", "--frozen=false", `--lock=${DEVELOPMENT_LOCK}`],
    ...["main.ts", "src", "tests", "scripts"],
  ], { timeoutMs: CHECK_MS });
  if (code !== 0) throw new BuildError(`deno check failed:\n${firstLines(stderr)}`);
  await Deno.writeTextFile(PROGRAM_LOCK, await programLock());
  console.log(`${DEVELOPMENT_LOCK} and ${PROGRAM_LOCK} are up to date`);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(`lock: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
