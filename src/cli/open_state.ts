import type { Config } from "../config/schema.ts";
import { readBootId } from "../platform/boot_id.ts";
import { systemClock } from "../resilience/clock.ts";
import type { FolderTaken } from "../state/held_folder.ts";
import { State } from "../state/state.ts";

/** Opens what outlives the process, as configured; undefined where nothing is to. */
export async function openState({ state, hub }: Config): Promise<State | FolderTaken | undefined> {
  const { dir } = state;
  if (dir === undefined) return undefined;
  return await State.open({
    dir,
    clock: systemClock,
    bootId: readBootId(),
    limits: [
      { kind: "frame", maxEntries: hub.history_messages, maxAgeMs: hub.history_for },
    ],
  });
}

/** What is said of a folder that another process has. */
export function describeTaken(dir: string | undefined, { takenBy }: FolderTaken): string {
  const who = takenBy === undefined ? "another process" : `process ${takenBy}`;
  return `the state folder ${dir} is in use by ${who}; each hub needs one of its own (state.dir)`;
}
