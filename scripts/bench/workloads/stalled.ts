import type { Case, Sample } from "../case.ts";
import type { Kit, ReadyPeer } from "../peer.ts";
import { residentBytes, sendQueueBytes } from "../process_memory.ts";
import { Run } from "../run.ts";
import { sampleOf } from "../sample_of.ts";
import { clientsAt, lengthAt, type Scale } from "../scale.ts";

const PER_SECOND = 50;
const MESSAGES = 200;
const WARM_UP_MESSAGES = 50;

const HEALTHY = 1000;
const STALLED = 20;

/** Memory of 20 clients drowns in what a garbage collector does or leaves; of more it can be told. */
const MEMORY_HEALTHY = 100;
const MEMORY_STALLED = 200;
const MEMORY_ROUNDS = 3;

const KIBIBYTE = 1024;

interface Load {
  readonly healthy: number;
  readonly stalled: number;
}

interface Outcome {
  readonly sample: Sample;
  /** By which resident memory grew while messages were published, in bytes. */
  readonly grownBytes: number;
  /** What the server could not send by then, in bytes. */
  readonly queuedBytes: number;
}

/** Clients that never read, among those that do: what they cost the others, and the server. */
export function stalled(scale: Scale): Case[] {
  const healthy = clientsAt(scale, HEALTHY);
  return [{
    id: `stalled/${healthy}+${STALLED}`,
    title: `stalled: ${healthy} healthy clients and ${STALLED} that never read, 1 KB, ` +
      `${PER_SECOND} a second`,
    async measure(peer, kit) {
      const without = await publishTo(peer, kit, { healthy, stalled: 0 }, scale);
      const among = await publishTo(peer, kit, { healthy, stalled: STALLED }, scale);
      const { figures } = among.sample;
      const { p99Ms: healthyP99Ms } = without.sample.figures;
      return {
        figures: {
          ...figures,
          ...(healthyP99Ms === undefined || figures.p99Ms === undefined
            ? {}
            : { healthyP99Ms, stalledToHealthyP99: figures.p99Ms / healthyP99Ms }),
        },
        faults: [...without.sample.faults, ...among.sample.faults],
      };
    },
  }, {
    id: `stalled_memory/${MEMORY_HEALTHY}+${MEMORY_STALLED}`,
    title: `memory of stalled clients: ${MEMORY_STALLED} among ${MEMORY_HEALTHY} healthy ones, ` +
      `after ${MESSAGES} messages of 1 KB`,
    maxRounds: MEMORY_ROUNDS,
    async measure(peer, kit) {
      const healthyOnes = MEMORY_HEALTHY;
      const without = await publishTo(peer, kit, { healthy: healthyOnes, stalled: 0 }, scale);
      const among = await publishTo(
        peer,
        kit,
        { healthy: healthyOnes, stalled: MEMORY_STALLED },
        scale,
      );
      const each = (bytes: number) => bytes / MEMORY_STALLED / KIBIBYTE;
      return {
        figures: {
          rssPerStalledKib: each(among.grownBytes - without.grownBytes),
          kernelPerStalledKib: each(among.queuedBytes - without.queuedBytes),
        },
        faults: [...without.sample.faults, ...among.sample.faults],
      };
    },
  }];
}

async function publishTo(
  peer: ReadyPeer,
  kit: Kit,
  { healthy, stalled }: Load,
  scale: Scale,
): Promise<Outcome> {
  await using run = await Run.start(peer, kit, { clients: healthy, stalled });
  await run.connect();
  await run.load.command("publish", PER_SECOND, lengthAt(scale, WARM_UP_MESSAGES));
  const before = await residentBytes(run.server.pid);
  const window = await run.load.command("publish", PER_SECOND, lengthAt(scale, MESSAGES));
  return {
    sample: sampleOf(window),
    grownBytes: await residentBytes(run.server.pid) - before,
    queuedBytes: await sendQueueBytes(run.server.port),
  };
}
