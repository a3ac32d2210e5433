import { lockFolder } from "./folder_lock.ts";
import { TAIL_FILES } from "./tail.ts";

/** Another process has the folder; its id, if it can be read. */
export interface FolderTaken {
  readonly takenBy: number | undefined;
}

/** A folder that is ours, with its tail's files open: nothing else in it is touched from here. */
export interface HeldFolder extends Disposable {
  readonly tail: readonly [Deno.FsFile, Deno.FsFile];
}

/**
 * Makes a folder if there is none, and takes it for this process alone.
 *
 * @throws {Deno.errors} If it cannot be written.
 */
export async function holdFolder(dir: string): Promise<HeldFolder | FolderTaken> {
  await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
  const locked = await lockFolder(dir);
  if (!locked.ok) return { takenBy: locked.pid };
  const files: Deno.FsFile[] = [];
  const close = () => {
    for (const file of files) file.close();
    locked.lock[Symbol.dispose]();
  };
  try {
    const [a, b] = await Promise.all(
      TAIL_FILES.map((name) => Deno.open(`${dir}/${name}`, { create: true, write: true })),
    ) as [Deno.FsFile, Deno.FsFile];
    files.push(a, b);
    return { tail: [a, b], [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }
}
