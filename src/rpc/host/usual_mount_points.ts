/** Directories whose children are listed too: where disks are usually mounted. */
const USUAL_PLACES = ["/data", "/export", "/home", "/media", "/mnt", "/srv", "/var", "/Volumes"];

/** Never listed: the kernel's own file systems, most of which the runtime guards. */
const SKIPPED: ReadonlySet<string> = new Set(["/dev", "/proc", "/run", "/sys"]);

/** Most directories listed. */
const MAX_DIRECTORIES = 256;

/**
 * Lists directories on which something may be mounted, for when the kernel's table is out of reach
 * (another system than Linux, or a process that may not read `/proc`): `/` first, then its
 * directories and those of a few usual places.
 *
 * @throws The system's error if `/` cannot be read.
 */
export async function usualMountPoints(): Promise<string[]> {
  const top = await childrenOf("/");
  const below = await Promise.all(
    USUAL_PLACES.map((place) => childrenOf(`${place}/`).catch(() => [])), // it need not exist
  );
  return ["/", ...top, ...below.flat()].slice(0, MAX_DIRECTORIES);
}

async function childrenOf(directory: string): Promise<string[]> {
  const children = [];
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    if (isDirectory && !SKIPPED.has(directory + name)) children.push(directory + name);
  }
  return children.sort();
}
