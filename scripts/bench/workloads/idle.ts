import type { Case } from "../case.ts";
import type { RunningPeer } from "../peer.ts";
import { residentBytes } from "../process_memory.ts";
import { Run } from "../run.ts";
import { sampleOf } from "../sample_of.ts";
import { clientsAt, lengthAt, type Scale } from "../scale.ts";
import { waitMs } from "../wait.ts";

const CLIENTS = 5000;
const KIBIBYTE = 1024;

/** What they are sent in the end, to see that they are connected. */
const PER_SECOND = 10;
const MESSAGES = 3;

/** For what connecting leaves behind to be cleared away, in milliseconds. */
const SETTLE_MS = 2000;

/** What a connection costs that does nothing: resident memory after less that before. */
export function idle(scale: Scale): Case[] {
  const clients = clientsAt(scale, CLIENTS);
  return [{
    id: `idle/${clients}`,
    title: `idle: ${clients} clients`,
    async measure(peer, kit) {
      await using run = await Run.start(peer, kit, { clients });
      const settled = async (server: RunningPeer) => {
        await waitMs(lengthAt(scale, SETTLE_MS));
        return await residentBytes(server.pid);
      };
      const before = await settled(run.server);
      await run.connect();
      const after = await settled(run.server);
      // Were they all there, and are they still?
      const heard = await run.load.command("publish", PER_SECOND, MESSAGES);
      return {
        figures: { rssPerConnectionKib: (after - before) / clients / KIBIBYTE },
        faults: sampleOf(heard).faults,
      };
    },
  }];
}
