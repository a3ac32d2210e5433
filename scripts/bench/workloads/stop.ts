import type { Case } from "../case.ts";
import { Run } from "../run.ts";
import { clientsAt, type Scale } from "../scale.ts";

const CLIENTS = 5000;

/** More than a stop may take, in milliseconds. */
const PATIENCE_MS = 15_000;
const US_PER_MS = 1000;

/** SIGTERM: the time until every client was told and closed. Of a promise that peers do not make. */
export function stop(scale: Scale): Case[] {
  const clients = clientsAt(scale, CLIENTS);
  return [{
    id: `stop/${clients}`,
    title: `stop with ${clients} clients`,
    isFor: (peer) => peer === "holdfast",
    async measure(peer, kit) {
      await using run = await Run.start(peer, kit, { clients });
      await run.connect();
      const begun = performance.now();
      const ending = run.server.ended().then((code) => ({
        code,
        exitMs: performance.now() - begun,
      }));
      const farewell = await run.load.command("stop", PATIENCE_MS);
      const { code, exitMs } = await ending;
      const faults = [
        ...(farewell.told < clients ? [`${clients - farewell.told} clients were not told`] : []),
        ...(farewell.closed < clients
          ? [`${clients - farewell.closed} clients were not closed with 1001`]
          : []),
        ...(code === 0 ? [] : [`it ended with code ${code}`]),
      ];
      return {
        figures: {
          toldMs: farewell.lastToldAfterUs / US_PER_MS,
          closedMs: farewell.lastClosedAfterUs / US_PER_MS,
          exitMs,
        },
        faults,
      };
    },
  }];
}
