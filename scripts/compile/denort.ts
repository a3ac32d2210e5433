/** The runtime that an executable is made of, which Deno downloads the first time. */
import { BuildError, exec } from "./exec.ts";
import type { Target } from "./targets.ts";

/** Deno's words when it could not get its runtime, in 2.4 and 2.9. */
const NOT_FETCHED = /Setting up base binary|dl\.deno\.land|denort/;

/** Whether a failed `deno compile` failed for want of the runtime. */
export function isAboutDenort(stderr: string): boolean {
  const [, error = ""] = /^error: ([\s\S]*)/m.exec(stderr) ?? [];
  return NOT_FETCHED.test(error);
}

/** What to do where the runtime cannot be downloaded. */
export async function twoWaysOut(target: Target | undefined): Promise<BuildError> {
  const { deno: version } = Deno.version;
  const zip = `release/v${version}/denort-${target ?? Deno.build.target}.zip`;
  const cache = await cacheDirectory();
  return new BuildError(
    [
      `cannot download denort, the runtime an executable is made of, from dl.deno.land. Two ways out:`,
      `  1. DENORT_BIN=FILE deno task compile, with a denort of Deno ${version} for this target`,
      `  2. fetch https://dl.deno.land/${zip} where that can be reached, and put it at`,
      `     ${cache}/dl/${zip}`,
    ].join("\n"),
  );
}

/**
 * Checks `DENORT_BIN` before Deno does, which would say it less clearly.
 *
 * @throws {BuildError} If it names no file.
 */
export async function checkDenortBin(path: string | undefined): Promise<void> {
  if (!path) return;
  const isFile = await Deno.stat(path).then((info) => info.isFile, () => false);
  if (!isFile) throw new BuildError(`DENORT_BIN must name a denort: there is no file ${path}`);
}

async function cacheDirectory(): Promise<string> {
  const { stdout } = await exec(Deno.execPath(), ["info", "--json"]);
  try {
    const { denoDir } = JSON.parse(stdout);
    return String(denoDir);
  } catch {
    return "$DENO_DIR";
  }
}
