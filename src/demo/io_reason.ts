/** What the system's error codes mean to whoever looks after the files. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "no space left on the disk",
  EDQUOT: "no space left in the disk quota",
  EFBIG: "the result is too large for the file system",
  ENAMETOOLONG: "the name is too long for .gz to be added",
  ENOENT: "the file has gone",
  EIO: "the disk failed to read or write it",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
};

/** Why working on a file failed, in words for clients: never a path outside the spool. */
export function whyFailed(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) return "this process was not given the permission";
  if (error instanceof Error && "code" in error) {
    const code = String(error.code);
    return REASONS[code] ?? `the system says ${code}`;
  }
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.NotFound) return "the file has gone";
  return "it could not be read or written";
}
