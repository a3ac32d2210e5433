import type { Clock } from "../resilience/clock.ts";
import { type FileIdentity, isSameFile } from "./file_identity.ts";
import { whyFailed } from "./io_reason.ts";
import { writeAll } from "./write_all.ts";

/** Bytes so far. */
export interface GzipProgress {
  readonly readBytes: number;
  readonly writtenBytes: number;
}

export interface GzipFileOptions {
  /** The file as it was found; if it is another one by now, it is left alone. */
  identity: FileIdentity;
  /** Where the result grows; nothing else may use this name. */
  partial: string;
  /** Where the result is put when it is whole. What is there already stays. */
  target: string;
  /** Rolls everything back. */
  signal: AbortSignal;
  clock: Clock;
  /** Most bytes read a second. Default: no limit. */
  maxBytesPerSecond?: number;
  onProgress?: (progress: GzipProgress) => void;
  /** Opens a file; tests put a full disk here. Default: `Deno.open`. */
  open?: typeof Deno.open;
}

/** How compressing a file ended. In all cases but `done` nothing of the result is left. */
export type GzipOutcome =
  | { readonly kind: "done" } & GzipProgress
  /** `blockedBy` is the file that stands in the way, if that is why. */
  | { readonly kind: "failed"; readonly reason: string; readonly blockedBy?: string }
  /** The work was given up, or there was none: the file had gone before it was begun. */
  | { readonly kind: "rolled_back" };

/**
 * Compresses a file and puts the result in its place: the result grows under a name of its own,
 * is written through to the disk, appears under its final name at one blow, and only then is the
 * original removed. Memory does not grow with the file. Never throws.
 */
export async function gzipFile(path: string, options: GzipFileOptions): Promise<GzipOutcome> {
  const { partial, target, signal, open = Deno.open } = options;
  let source: Deno.FsFile | undefined;
  let result: Deno.FsFile | undefined;
  let isWhole = false;
  try {
    signal.throwIfAborted();
    source = await open(path, { read: true });
    if (await exists(target)) return blocked(target);
    // Between finding and opening, a link to somewhere else may have taken the name.
    if (!isSameFile(options.identity, await source.stat())) return changed();
    result = await open(partial, { write: true, createNew: true });
    const progress = await squeeze(source, result, options);
    await result.sync();
    if (!isSameFile(options.identity, await Deno.lstat(path))) return changed();
    signal.throwIfAborted();
    if (!publish(partial, target)) return blocked(target);
    isWhole = true;
    await removeOriginal(path, target);
    return { kind: "done", ...progress };
  } catch (error) {
    if (error === GROWN) return changed();
    const hasGone = source === undefined && error instanceof Deno.errors.NotFound;
    if ((signal.aborted && !isWhole) || hasGone) return { kind: "rolled_back" };
    return { kind: "failed", reason: whyFailed(error) };
  } finally {
    close(source);
    close(result);
    if (!isWhole) await Deno.remove(partial).catch(() => {}); // there may be none yet
  }
}

async function squeeze(
  source: Deno.FsFile,
  result: Deno.FsFile,
  options: GzipFileOptions,
): Promise<GzipProgress> {
  const { signal, clock, maxBytesPerSecond = Infinity, onProgress } = options;
  const startedAt = clock.now();
  let readBytes = 0;
  let writtenBytes = 0;
  const whenRead = async (bytes: number) => {
    readBytes += bytes;
    if (readBytes > options.identity.size) throw GROWN; // else it might be read for ever
    onProgress?.({ readBytes, writtenBytes });
    const aheadMs = readBytes / maxBytesPerSecond * 1000 - (clock.now() - startedAt);
    if (aheadMs > 0) await clock.sleep(aheadMs, { signal });
  };
  // Written by hand: a pipe that leaves its file open may be done before its last write is.
  const packed = source.readable
    .pipeThrough(meter(whenRead), { signal })
    .pipeThrough(new CompressionStream("gzip"));
  for await (const chunk of packed) {
    signal.throwIfAborted();
    await writeAll(result, chunk);
    writtenBytes += chunk.byteLength;
  }
  return { readBytes, writtenBytes };
}

const GROWN = new RangeError("the file grows while it is read");

type Bytes = Uint8Array<ArrayBuffer>;

/** Passes bytes on and tells how many there were. */
function meter(onBytes: (count: number) => void | Promise<void>): TransformStream<Bytes, Bytes> {
  return new TransformStream({
    async transform(chunk, controller) {
      controller.enqueue(chunk);
      await onBytes(chunk.byteLength);
    },
  });
}

/**
 * Gives the result its final name; false if that is taken. First the name is reserved, which fails
 * if it exists, then the result replaces the reservation. Both in one turn, so that no signal can
 * come between; hard links would do in one step, but not on every file system.
 */
function publish(partial: string, target: string): boolean {
  try {
    Deno.openSync(target, { write: true, createNew: true }).close();
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
  try {
    Deno.renameSync(partial, target);
    return true;
  } catch (error) {
    Deno.removeSync(target);
    throw error;
  }
}

/** Without its original gone the file would be compressed again and again: then undo it all. */
async function removeOriginal(path: string, target: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    await Deno.remove(target);
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch {
    return false; // gone, or not to be seen: opening it will tell
  }
}

function blocked(target: string): GzipOutcome {
  const name = target.slice(target.lastIndexOf("/") + 1);
  const reason = `done/${name} exists already and is not overwritten; move it away`;
  return { kind: "failed", reason, blockedBy: target };
}

function changed(): GzipOutcome {
  return { kind: "failed", reason: "the file was changed or replaced meanwhile" };
}

function close(file: Deno.FsFile | undefined): void {
  try {
    file?.close();
  } catch {
    // A stream that came to its end closes its file.
  }
}
