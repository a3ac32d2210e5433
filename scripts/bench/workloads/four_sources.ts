import type { Case } from "../case.ts";
import { Run } from "../run.ts";
import { sampleOf } from "../sample_of.ts";
import { clientsAt, lengthAt, type Scale } from "../scale.ts";

const CLIENTS = 1000;
const SOURCES = 4;
const TICKS_PER_SECOND = 4;
const EVERY_MS = 1000 / TICKS_PER_SECOND;
const TICKS = 12;

/**
 * Four values due at one time. Holdfast polls them from four real sources (of the load client's own
 * JSON-RPC backend, four calls in one batch, so that they are of one turn), with all that this costs;
 * the others are sent four messages at each tick.
 */
export function fourSources(scale: Scale): Case[] {
  const clients = clientsAt(scale, CLIENTS);
  const ticks = lengthAt(scale, TICKS);
  return [{
    id: `four_sources/${clients}`,
    title: `four sources at once, ${TICKS_PER_SECOND} times a second, ${clients} clients`,
    isFor: () => true,
    async measure(peer, kit) {
      await using run = await Run.start(peer, kit, {
        clients,
        streams: SOURCES,
        pollEveryMs: EVERY_MS,
      });
      await run.connect();
      const bring = (count: number) =>
        peer.polls
          ? run.load.command("listen", count * EVERY_MS)
          : run.load.command("publish", TICKS_PER_SECOND, count * SOURCES);
      await bring(Math.ceil(ticks / 2)); // warms it up
      return sampleOf(await bring(ticks));
    },
  }];
}
