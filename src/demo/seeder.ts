import { join } from "node:path";
import type { Clock } from "../resilience/clock.ts";
import { Ticker } from "../resilience/ticker.ts";
import { logOf } from "../telemetry/log.ts";
import { whyFailed } from "./io_reason.ts";
import { sampleText } from "./sample_text.ts";
import { writeAll } from "./write_all.ts";

export interface SeederOptions {
  clock: Clock;
  /** The spool; it must be one that nobody else puts files into, as old results are removed. */
  directory: string;
  /** Time between two looks, in milliseconds. Default 1000. */
  everyMs?: number;
  /** Most files that wait to be compressed. Default 6. */
  maxWaiting?: number;
  /** Most results kept; the oldest are removed. Default 10. */
  maxResults?: number;
  /** Sizes of the files, in bytes. Default 2 to 6 million. */
  minBytes?: number;
  maxBytes?: number;
}

/** Generated files are called so, with a number between. */
const NAME = /^log-\d{6}\.txt$/;

/**
 * Keeps a spool supplied with generated files, so that there is always work to be seen. Bounded:
 * nothing is written while enough files wait, and old results are removed. Ends when aborted; a
 * file half written then is removed.
 */
export async function seed(
  options: SeederOptions,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const { clock, everyMs = 1000 } = options;
  let last = 0;
  let isFailing = false;
  for await (const _tick of new Ticker(everyMs, { clock, signal })) {
    try {
      await removeOldResults(options);
      if (await isSupplied(options)) continue;
      await writeFile(`log-${String(++last).padStart(6, "0")}.txt`, options, signal);
      isFailing = false;
    } catch (error) {
      if (!isFailing && !signal.aborted) {
        logOf("demo").warning("seeder.failed", { why: whyFailed(error) });
      }
      isFailing = true;
    }
  }
}

async function isSupplied({ directory, maxWaiting = 6 }: SeederOptions): Promise<boolean> {
  let waiting = 0;
  for await (const { name } of Deno.readDir(directory)) if (NAME.test(name)) waiting += 1;
  return waiting >= maxWaiting;
}

/** Writes under a hidden name first: a file is to be found only when it is whole. */
async function writeFile(
  name: string,
  options: SeederOptions,
  signal: AbortSignal,
): Promise<void> {
  const { directory, minBytes = 2_000_000, maxBytes = 6_000_000 } = options;
  const hidden = join(directory, `.${name}.part`);
  const bytes = minBytes + Math.random() * (maxBytes - minBytes);
  try {
    {
      using file = await Deno.open(hidden, { write: true, createNew: true });
      for (const piece of sampleText(bytes)) {
        signal.throwIfAborted();
        await writeAll(file, piece);
      }
    }
    await Deno.rename(hidden, join(directory, name));
  } catch (error) {
    await Deno.remove(hidden).catch(() => {}); // there may be none yet
    throw error;
  }
}

async function removeOldResults({ directory, maxResults = 10 }: SeederOptions): Promise<void> {
  const done = join(directory, "done");
  const results: string[] = [];
  for await (const { name } of Deno.readDir(done)) {
    if (NAME.test(name.replace(/\.gz$/, ""))) results.push(name);
  }
  // The numbers in the names tell their age.
  const old = results.toSorted().slice(0, Math.max(0, results.length - maxResults));
  for (const name of old) await Deno.remove(join(done, name));
}
