import { systemClock } from "../resilience/clock.ts";
import { withDeadline } from "../resilience/with_deadline.ts";

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
  const path = `${dir}/${FILE}`;
  const file = await Deno.open(path, { create: true, read: true, write: true });
  if (!await tryLock(file)) {
    const pid = Number.parseInt(await Deno.readTextFile(path), 10);
    return { ok: false, pid: Number.isNaN(pid) ? undefined : pid };
  }
  try {
    await file.truncate(0);
    await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  } catch {
    // A full disk: held all the same, but the file does not say by which process.
  }
  return { ok: true, lock: { [Symbol.dispose]: () => file.close() } };
}

/** Locks a file, or closes it. Older runtimes (Deno 2.6) can only wait for a lock. */
async function tryLock(file: Deno.FsFile): Promise<boolean> {
  const { tryLockSync } = file as { tryLockSync?: (exclusive: boolean) => boolean };
  if (tryLockSync !== undefined) {
    const isLocked = tryLockSync.call(file, true);
    if (!isLocked) file.close();
    return isLocked;
  }
  const locked = file.lock(true);
  const { isLate } = await withDeadline(systemClock, WAIT_MS, () => locked);
  // It cannot be told to wait no more, nor be closed meanwhile: what comes too late is given back.
  if (isLate) locked.finally(() => file.close()).catch(() => {});
  return !isLate;
}
