import { measureStart } from "../../measure_start.ts";
import type { Case } from "../case.ts";
import { holdfastCommand } from "../peers/holdfast.ts";
import { lengthAt, type Scale } from "../scale.ts";
import { median } from "../statistics.ts";

const EXECUTABLE = new URL("../../../dist/holdfast", import.meta.url).pathname;

const STARTS = 5;

/** From the start of the process until a client has the first value, with default settings. */
export async function start(scale: Scale): Promise<Case[]> {
  const executable = await isThere(EXECUTABLE);
  const what = executable ? "the executable" : "`deno run`, as there is no executable";
  const command = executable ? [EXECUTABLE, "serve"] : holdfastCommand("serve");
  return [{
    id: "start/1",
    title: `start until the first value: ${what}`,
    isFor: (peer) => peer === "holdfast",
    async measure(_peer, { cores }) {
      await measureStart(cores.server(command)); // brings the file into memory
      const starts = [];
      for (let at = 0; at < lengthAt(scale, STARTS); at++) {
        starts.push(await measureStart(cores.server(command)));
      }
      const middle = (values: number[]) => median(values) ?? NaN;
      return {
        figures: {
          listeningMs: middle(starts.map(({ listeningMs }) => listeningMs)),
          firstValueMs: middle(starts.map(({ firstValueMs }) => firstValueMs)),
        },
        faults: [],
      };
    },
  }];
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
