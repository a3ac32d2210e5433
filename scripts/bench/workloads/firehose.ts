import type { Case } from "../case.ts";
import { Run } from "../run.ts";
import { sampleOf } from "../sample_of.ts";
import { clientsAt, lengthAt, type Scale } from "../scale.ts";

const CLIENTS = 1000;
const BYTES = 500;
const PER_SECOND = 200;
const MESSAGES = 600;
const WARM_UP_PER_SECOND = 50;
const WARM_UP_MESSAGES = 50;

/** More small messages than one frame a message can bear. */
export function firehose(scale: Scale): Case[] {
  const clients = clientsAt(scale, CLIENTS);
  return [{
    id: `firehose/${clients}`,
    title: `firehose: ${BYTES} B, ${PER_SECOND} a second, ${clients} clients`,
    isFor: () => true,
    async measure(peer, kit) {
      await using run = await Run.start(peer, kit, { clients, bytes: BYTES });
      await run.connect();
      await run.load.command("publish", WARM_UP_PER_SECOND, lengthAt(scale, WARM_UP_MESSAGES));
      return sampleOf(await run.load.command("publish", PER_SECOND, lengthAt(scale, MESSAGES)));
    },
  }];
}
