import type { Case } from "../case.ts";
import { Run } from "../run.ts";
import { clientsAt, lengthAt, type Scale } from "../scale.ts";
import { waitMs } from "../wait.ts";

const CLIENTS = 5000;

/** Values that each client gets as it comes, beside its welcome. */
const SNAPSHOTS = 4;

/** They are polled once, before anybody comes, and not again: what is counted is the coming alone. */
const POLL_EVERY_MS = 600_000;
const SETTLE_MS = 2000;

/** What clients say who had been with a hub that has restarted since. */
const RESUME = "&session=storm&epoch=before&since=17";

/**
 * Clients that all come back at once after a restart, with what they knew, and get a welcome and
 * four values each. The control sends as many frames of the same length.
 */
export function storm(scale: Scale): Case[] {
  const clients = clientsAt(scale, CLIENTS);
  return [{
    id: `storm/${clients}`,
    title: `storm: ${clients} clients come back at once, ${SNAPSHOTS} values each`,
    isFor: (peer) => peer === "holdfast" || peer === "control",
    async measure(peer, kit) {
      const isControl = peer.name === "control";
      await using run = await Run.start(peer, kit, {
        clients,
        streams: SNAPSHOTS,
        pollEveryMs: POLL_EVERY_MS,
        query: RESUME,
        greetings: SNAPSHOTS + 1,
      });
      await waitMs(lengthAt(scale, SETTLE_MS));
      // The control's clients count as connected before their first frame.
      const frames = SNAPSHOTS + (isControl ? 1 : 0);
      const { port, pid } = run.server;
      const { missing, servedAfterUs, serverCpuUs } = await run.load.command(
        "storm",
        port,
        pid,
        frames,
      );
      return {
        figures: { cpuPerReturnUs: serverCpuUs / clients, servedMs: servedAfterUs / 1000 },
        faults: missing > 0 ? [`${missing} frames did not come`] : [],
      };
    },
  }];
}
