/** Where a hub says that the folder is its own. */
const FILE = "lock";

/** How long the lock is waited for where it cannot be tried without waiting, in milliseconds. */
const WAIT_MS = 500;

/** A folder held by this process, until disposed of or until the process ends, however it ends. */
export type FolderLock =
  | { readonly ok: true; readonly lock: Disposable }
  /** Another process holds it. */
  | { readonly ok: false; readonly pid: number | undefined };

/**
 * Takes a folder for this process alone. The system gives a lock of this kind (flock) back when its
 * process ends, so that one that was killed leaves nothing behind.
 *
 * @throws {Deno.errors} If the file cannot be made.
 */
export async function lockFolder(dir: string): Promise<FolderLock> {
  const file = await Deno.open(`${dir}/${FILE}`, { create: true, read: true, write: true });
  if (!await tryLock(file)) {
    const pid = Number.parseInt(await textOf(file), 10);
    file.close();
    return { ok: false, pid: Number.isNaN(pid) ? undefined : pid };
  }
  try {
    await file.truncate(0);
    await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  } catch {
    // A full disk: held all the same, though nobody can read by whom.
  }
  return { ok: true, lock: { [Symbol.dispose]: () => file.close() } };
}

/** Older runtimes can only wait for a lock. */
async function tryLock(file: Deno.FsFile): Promise<boolean> {
  const { tryLockSync } = file as { tryLockSync?: (exclusive: boolean) => boolean };
  if (tryLockSync !== undefined) return tryLockSync.call(file, true);
  const bound = Promise.withResolvers<false>();
  const timer = setTimeout(() => bound.resolve(false), WAIT_MS);
  const locked = file.lock(true).then(() => true as const);
  locked.catch(() => {}); // the file was closed meanwhile
  const isLocked = await Promise.race([locked, bound.promise]);
  clearTimeout(timer);
  return isLocked;
}

async function textOf(file: Deno.FsFile): Promise<string> {
  const bytes = new Uint8Array(32);
  const read = await file.read(bytes);
  return new TextDecoder().decode(bytes.subarray(0, read ?? 0));
}
