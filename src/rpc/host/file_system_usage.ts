import * as fs from "node:fs";

/** Room and files of one file system. */
export interface FileSystemUsage {
  /** Length of the units that room is counted in. */
  readonly unitBytes: number;
  readonly units: number;
  /** Free, with what is kept back for the superuser. */
  readonly freeUnits: number;
  /** Free for everybody. */
  readonly availableUnits: number;
  readonly inodes: number;
  readonly freeInodes: number;
  /** The kernel's number for the kind of file system (`statfs(2)`). */
  readonly magic: number;
  /** The number all files of this file system share; `null` where the system has none. */
  readonly device: number | null;
}

/**
 * Asks the system about the file system at a mount point; `undefined` if it is mounted on a file,
 * as `/etc/hosts` is in containers. May hang for as long as the file system does.
 */
export async function fileSystemUsage(path: string): Promise<FileSystemUsage | undefined> {
  // `stat` first: where the runtime's `statfs` blocks the event loop (Deno 2.4), a dead file system
  // is met here, on a thread of its own.
  const { isDirectory, dev } = await Deno.stat(path);
  if (!isDirectory) return undefined;
  const found = await statfs(path);
  return {
    unitBytes: found.frsize || found.bsize,
    units: found.blocks,
    freeUnits: found.bfree,
    availableUnits: Math.max(0, found.bavail),
    inodes: found.files,
    freeInodes: found.ffree,
    magic: found.type >>> 0,
    device: dev,
  };
}

/** The part of node's `StatFs` that is read; `frsize` only newer runtimes have. */
interface StatFs {
  readonly type: number;
  readonly bsize: number;
  readonly frsize?: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
}

function statfs(path: string): Promise<StatFs> {
  // Not from `node:fs/promises`, where Deno 2.4 does not have it.
  return new Promise((resolve, reject) => {
    fs.statfs(path, (error, found) => error ? reject(error) : resolve(found));
  });
}
