import type { Case } from "../case.ts";
import { Run } from "../run.ts";
import { sampleOf } from "../sample_of.ts";
import { clientsAt, lengthAt, type Scale } from "../scale.ts";

const SIZES = [100, 1000, 5000, 10_000];

const PER_SECOND = 10;
const MESSAGES = 40;

/** Twice the pace, so that just-in-time compilers have had their say. */
const WARM_UP_PER_SECOND = 20;
const WARM_UP_MESSAGES = 20;

/** 1 KB ten times a second, to more and more clients. */
export function tick(scale: Scale): Case[] {
  const sizes = new Set(SIZES.map((size) => clientsAt(scale, size)));
  return [...sizes].map((clients) => ({
    id: `tick/${clients}`,
    title: `tick: 1 KB, ${PER_SECOND} a second, ${clients} clients`,
    async measure(peer, kit) {
      await using run = await Run.start(peer, kit, { clients });
      await run.connect();
      await run.load.command("publish", WARM_UP_PER_SECOND, lengthAt(scale, WARM_UP_MESSAGES));
      return sampleOf(await run.load.command("publish", PER_SECOND, lengthAt(scale, MESSAGES)));
    },
  }));
}
