import { exec } from "./exec.ts";

/**
 * Folders of packages, by the package's name, whose data the compiler takes for a program: 100,000
 * numbers, each with its sign, are one deep expression to it, and its stack overflows. They are the
 * packages' own tests.
 */
const MISREAD: Readonly<Record<string, string>> = { bintrees: "test" };

/** A package as `deno info --json` tells of it; the older Deno leaves `localPath` out. */
interface PackageInfo {
  readonly name: string;
  readonly version: string;
  readonly localPath?: string;
}

/** The folders to keep out of an executable, wherever Deno has put them. */
export async function misreadFolders(entry: string): Promise<string[]> {
  const { npmPackages = {} } = await info<{ npmPackages?: Record<string, PackageInfo> }>(entry);
  const { npmCache } = await info<{ npmCache: string }>();
  return Object.values(npmPackages).flatMap((each) => {
    const folder = MISREAD[each.name];
    return folder === undefined ? [] : pathsOf(each, npmCache).map((path) => `${path}/${folder}`);
  });
}

/** Where a package lies; the cache has a folder for each registry it was fetched from. */
function pathsOf({ name, version, localPath }: PackageInfo, npmCache: string): string[] {
  if (localPath !== undefined) return [localPath];
  return [...Deno.readDirSync(npmCache)]
    .filter(({ isDirectory }) => isDirectory)
    .map(({ name: registry }) => `${npmCache}/${registry}/${name}/${version}`);
}

async function info<T>(...args: string[]): Promise<T> {
  const { stdout } = await exec(Deno.execPath(), ["info", "--json", ...args]);
  return JSON.parse(stdout);
}
