import type { FolderTaken } from "../../src/state/held_folder.ts";
import { State, type StateOptions } from "../../src/state/state.ts";
import { systemClock } from "../../src/resilience/clock.ts";
import type { Change, Kind } from "../../src/state/change.ts";

/** A folder of a test's own. */
export class StateDir implements AsyncDisposable {
  constructor(readonly path: string) {}

  static async make(): Promise<StateDir> {
    return new StateDir(await Deno.makeTempDir({ prefix: "holdfast-state-" }));
  }

  /** Names of its files, sorted. */
  files(): string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name).sort();
  }

  /** What a loss of power, or of the process, would leave: a copy as it lies there now. */
  async copy(without: (name: string) => boolean = () => false): Promise<StateDir> {
    const copy = await StateDir.make();
    for (const name of this.files()) {
      if (!without(name)) await Deno.copyFile(`${this.path}/${name}`, `${copy.path}/${name}`);
    }
    return copy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

export function optionsOf(dir: string, options: Partial<StateOptions> = {}): StateOptions {
  return { dir, clock: systemClock, bootId: "boot-1", limits: [], ...options };
}

/** Opens a state that nobody else has. */
export async function openState(dir: string, options: Partial<StateOptions> = {}): Promise<State> {
  const state = await State.open(optionsOf(dir, options));
  if (!(state instanceof State)) throw new Error(`taken by ${(state as FolderTaken).takenBy}`);
  return state;
}

export function put(kind: Kind, key: string, value: unknown): Change {
  return { kind, key, body: JSON.stringify(value) };
}

/** What was kept of one kind, as values. */
export function keptOf(state: State, kind: Kind): Record<string, unknown> {
  const entries = [...state.past.kept.get(kind) ?? []];
  return Object.fromEntries(entries.map(([key, body]) => [key, JSON.parse(body)]));
}

/** From now on files that are open cannot be written any more, until disposed of. */
export function readOnlyDisk(): Disposable & { readonly refused: number } {
  const file = Deno.FsFile.prototype;
  const { writeSync, truncateSync } = file;
  let refused = 0;
  file.writeSync = file.truncateSync = () => {
    refused += 1;
    throw new Error("Read-only file system (os error 30)");
  };
  return {
    get refused() {
      return refused;
    },
    [Symbol.dispose]: () => void Object.assign(file, { writeSync, truncateSync }),
  };
}
