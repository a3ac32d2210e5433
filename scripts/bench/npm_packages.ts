import { runProgram } from "./run_program.ts";

/** Long enough for a package of 100 MB over a slow line, in milliseconds. */
const INSTALL_MS = 300_000;

/**
 * Installs npm packages of exact versions into a folder of their own, so that the project's lock file
 * knows nothing of them; what is there already is not fetched again.
 *
 * @param packages Versions by name.
 * @returns The folder in which they are, which is one that programs can be run from.
 * @throws {Error} If there is no npm, or it fails.
 */
export async function npmPackages(
  cacheFolder: string,
  packages: Readonly<Record<string, string>>,
): Promise<string> {
  const wanted = Object.entries(packages).map(([name, version]) => `${name}@${version}`);
  const folder = `${cacheFolder}/${wanted.join("+").replaceAll("/", "_")}`;
  if (await hasAll(folder, packages)) return folder;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/package.json`, JSON.stringify({ private: true }));
  const npm = ["npm", "install", "--save-exact", "--no-audit", "--no-fund", "--loglevel=error"];
  await runProgram([...npm, ...wanted], { cwd: folder, timeoutMs: INSTALL_MS });
  return folder;
}

async function hasAll(
  folder: string,
  packages: Readonly<Record<string, string>>,
): Promise<boolean> {
  for (const [name, version] of Object.entries(packages)) {
    try {
      const text = await Deno.readTextFile(`${folder}/node_modules/${name}/package.json`);
      if (JSON.parse(text).version !== version) return false;
    } catch {
      return false; // not there, or only in part
    }
  }
  return true;
}
