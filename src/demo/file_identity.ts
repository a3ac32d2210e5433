/** What tells one state of a file from another, without reading it. */
export interface FileIdentity {
  readonly dev: number;
  readonly ino: number | null;
  readonly size: number;
  /** Last change of its content, in unix milliseconds. */
  readonly mtimeMs: number;
}

export function identityOf({ dev, ino, size, mtime }: Deno.FileInfo): FileIdentity {
  return { dev, ino, size, mtimeMs: mtime?.getTime() ?? 0 };
}

/** Whether `info` shows the very same file, unchanged; never true of a link to it. */
export function isSameFile(identity: FileIdentity, info: Deno.FileInfo): boolean {
  if (!info.isFile) return false;
  return isSameState(identity, identityOf(info));
}

/** Whether two looks saw the same file in the same state. */
export function isSameState(a: FileIdentity, b: FileIdentity): boolean {
  return a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeMs === b.mtimeMs;
}
