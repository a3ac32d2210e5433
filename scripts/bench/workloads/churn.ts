import type { Case } from "../case.ts";
import type { Churned } from "../load_client.ts";
import { residentBytes } from "../process_memory.ts";
import { Run } from "../run.ts";
import { sampleOf } from "../sample_of.ts";
import { lengthAt, type Scale } from "../scale.ts";
import { median } from "../statistics.ts";
import { waitMs } from "../wait.ts";

const PER_SECOND = 500;
const FOR_MS = 60_000;

/** Clients that stay, and what they are sent in the end: of the turmoil they must have felt nothing. */
const STAYING = 10;
const MESSAGES_PER_SECOND = 10;
const MESSAGES = 3;

/** A minute for each peer is long; growth either shows in one or not. */
const ROUNDS = 1;

/** How often memory is read: at this share of the whole time. */
const READINGS = 60;

const MEBIBYTE = 1024 ** 2;

/** Clients that come and go: what each costs, and whether anything of them stays. */
export function churn(scale: Scale): Case[] {
  const ms = lengthAt(scale, FOR_MS);
  return [{
    id: `churn/${PER_SECOND}`,
    title: `churn: ${PER_SECOND} clients come and go each second, for ${ms / 1000} s`,
    maxRounds: ROUNDS,
    async measure(peer, kit) {
      await using run = await Run.start(peer, kit, { clients: STAYING });
      await run.connect();
      const { port, pid } = run.server;
      const churning = run.load.command("churn", port, pid, PER_SECOND, ms);
      churning.catch(() => {}); // told where it is waited for
      const readings: number[] = [];
      for (let at = 0; at < READINGS; at++) {
        const ended = await Promise.race([churning, waitMs(ms / READINGS)]);
        if (ended !== undefined) break;
        readings.push(await residentBytes(pid));
      }
      const churned = await churning;
      const heard = await run.load.command("publish", MESSAGES_PER_SECOND, MESSAGES);
      return {
        figures: {
          cpuPerConnectionUs: churned.serverCpuUs / churned.completed,
          growthMib: growthOf(readings) / MEBIBYTE,
        },
        faults: [...faultsOf(churned), ...sampleOf(heard).faults],
      };
    },
  }];
}

/**
 * From the second quarter to the last, the middle reading of each: the first quarter is for what a
 * server keeps ready once it has needed it, and garbage comes and goes.
 */
export function growthOf(readings: readonly number[]): number {
  const quarter = Math.floor(readings.length / 4);
  const early = median(readings.slice(quarter, 2 * quarter));
  const late = median(readings.slice(-quarter));
  if (quarter === 0 || early === undefined || late === undefined) {
    throw new RangeError(`growth takes at least 4 readings; there are ${readings.length}`);
  }
  return late - early;
}

function faultsOf({ failed, crowdedOut, completed }: Churned): string[] {
  return [
    ...(failed > 0 ? [`${failed} clients did not come and go in good order`] : []),
    ...(crowdedOut > 0 ? [`${crowdedOut} clients had to stay away: it is too slow`] : []),
    ...(completed === 0 ? ["nobody came"] : []),
  ];
}
