import { runProgram } from "./run_program.ts";

/** How processes are tied to processor cores. */
export interface Cores {
  /** Whether server and load client have a core each. */
  readonly arePinned: boolean;
  /** A command as it is run for a server. */
  server(command: readonly string[]): string[];
  /** A command as it is run for the load client. */
  load(command: readonly string[]): string[];
}

/**
 * Gives server and load client a core each, so that neither wanders nor takes the other's time, where
 * there are two cores and `taskset`.
 */
export async function findCores(): Promise<Cores> {
  const arePinned = navigator.hardwareConcurrency >= 2 && await hasTaskset();
  const tie = (core: number) => (command: readonly string[]) =>
    arePinned ? ["taskset", "-c", String(core), ...command] : [...command];
  return { arePinned, server: tie(0), load: tie(1) };
}

async function hasTaskset(): Promise<boolean> {
  try {
    await runProgram(["taskset", "-c", "0,1", "true"]);
    return true;
  } catch {
    return false;
  }
}
