import { join } from "node:path";
import type { Clock } from "../resilience/clock.ts";
import { logOf } from "../telemetry/log.ts";
import { type FileIdentity, identityOf, isSameState } from "./file_identity.ts";

/** A file in the spool, as it was found. */
export interface SpoolFile {
  readonly name: string;
  readonly path: string;
  readonly identity: FileIdentity;
}

/** A file's state at the last look, and since when it has been that. */
interface SeenFile {
  readonly identity: FileIdentity;
  /** Monotonic milliseconds. */
  readonly sinceMs: number;
}

export interface SpoolOptions {
  clock: Clock;
  /** A file must stay as it is for this long before it counts as whole, in milliseconds. */
  settleMs: number;
}

/** The folder's name, inside the spool, that results go to. */
const DONE = "done";

/** Results grow under such names; found at the start, they are of a process that was killed. */
const PARTIAL = /^\.holdfast-.+\.part$/;

/** Names of files that are still on their way: hidden ones, and what copying programs use. */
const UNFINISHED = /^\.|\.(?:part|partial|tmp|crdownload)$/i;

/** Most files looked at in one look; further ones are seen when those have gone. */
const MAX_LOOKED_AT = 4096;

/** How long to wait for the spool to be given up by another process, in milliseconds. */
const LOCK_WAIT_MS = 500;

/**
 * A folder whose files are to be compressed into its folder `done`. One process at a time owns it.
 * Only plain files that lie in it directly count: links are never followed, folders not entered.
 */
export class Spool implements Disposable {
  readonly path: string;
  readonly #lock: Deno.FsFile;
  readonly #options: SpoolOptions;
  #seen = new Map<string, SeenFile>();
  #isTooMuchTold = false;

  private constructor(path: string, lock: Deno.FsFile, options: SpoolOptions) {
    this.path = path;
    this.#lock = lock;
    this.#options = options;
  }

  /**
   * Opens a spool, making the folders where there are none, and clears away what a killed process
   * left half done.
   *
   * @throws {TypeError} If it is no folder, `done` is a link, or another process works there; the
   * message is for users.
   */
  static async open(directory: string, options: SpoolOptions): Promise<Spool> {
    const path = await makeDirectory(directory);
    const done = join(path, DONE);
    await makeDirectory(done);
    if ((await Deno.lstat(done)).isSymlink) {
      throw new TypeError(`'${done}' is a link; results are only put into a folder of the spool`);
    }
    const lock = await Deno.open(done, { read: true }).catch(() => {
      throw new TypeError(`cannot use the spool '${directory}': '${done}' cannot be read`);
    });
    if (!await tryLock(lock)) {
      lock.close();
      throw new TypeError(`another process works on the spool '${path}'; choose another folder`);
    }
    try {
      await clearPartials(done);
    } catch {
      lock.close();
      throw new TypeError(`cannot use the spool '${directory}': '${done}' cannot be written`);
    }
    return new Spool(path, lock, options);
  }

  /** Where the result of a file goes. */
  target(file: SpoolFile): string {
    return join(this.path, DONE, `${file.name}.gz`);
  }

  /** Where the result of a job grows. */
  partial(jobId: string): string {
    return join(this.path, DONE, `.holdfast-${jobId}.part`);
  }

  /**
   * Looks for files that are whole: those that have not changed for a while. The ones changed
   * longest ago come first.
   *
   * @throws The system's error when the folder cannot be read.
   */
  async look(): Promise<SpoolFile[]> {
    const now = this.#options.clock.now();
    const seen = new Map<string, SeenFile>();
    const whole: SpoolFile[] = [];
    for await (const { name, isFile } of Deno.readDir(this.path)) {
      if (!isFile || UNFINISHED.test(name)) continue;
      if (seen.size >= MAX_LOOKED_AT) {
        this.#tellTooMuch();
        break;
      }
      const path = join(this.path, name);
      const info = await Deno.lstat(path).catch(() => undefined); // it may have gone by now
      if (!info?.isFile) continue;
      const identity = identityOf(info);
      const before = this.#seen.get(name);
      const sinceMs = before && isSameState(before.identity, identity) ? before.sinceMs : now;
      seen.set(name, { identity, sinceMs });
      if (now - sinceMs >= this.#options.settleMs) whole.push({ name, path, identity });
    }
    this.#seen = seen;
    return whole.toSorted((a, b) => a.identity.mtimeMs - b.identity.mtimeMs);
  }

  [Symbol.dispose](): void {
    this.#lock.close();
  }

  #tellTooMuch(): void {
    if (this.#isTooMuchTold) return;
    this.#isTooMuchTold = true;
    logOf("demo").warning("spool.crowded", { files: MAX_LOOKED_AT, effect: "others wait unseen" });
  }
}

async function clearPartials(done: string): Promise<void> {
  for await (const { name, isFile } of Deno.readDir(done)) {
    if (isFile && PARTIAL.test(name)) await Deno.remove(join(done, name));
  }
}

/** Makes a folder if there is none; its real path. */
async function makeDirectory(directory: string): Promise<string> {
  try {
    await Deno.mkdir(directory, { recursive: true });
    return await Deno.realPath(directory);
  } catch (error) {
    const why =
      error instanceof Deno.errors.AlreadyExists || error instanceof Deno.errors.NotADirectory
        ? "it is not a folder"
        : error instanceof Deno.errors.NotCapable
        ? "this process was not given the permission"
        : "it cannot be made or read";
    throw new TypeError(`cannot use the spool '${directory}': ${why}`);
  }
}

/** A file as runtimes have it; older ones can only wait for a lock. */
interface Lockable {
  lock(exclusive: boolean): Promise<void>;
  tryLock?(exclusive: boolean): Promise<boolean>;
}

/** Takes the lock, which the kernel gives up with the process, however that ends. */
async function tryLock(file: Lockable): Promise<boolean> {
  if (file.tryLock) return await file.tryLock(true);
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), LOCK_WAIT_MS);
  try {
    return await Promise.race([file.lock(true).then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
