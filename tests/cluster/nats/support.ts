import type { Stored } from "../../../src/cluster/broker.ts";
import type { NatsAddress } from "../../../src/cluster/nats/address.ts";
import { NatsBroker, type NatsBrokerOptions } from "../../../src/cluster/nats/broker.ts";
import { systemClock } from "../../../src/resilience/clock.ts";
import { Watched, within } from "../../support/until.ts";

/** Opens the broker as a hub does. */
export function open(
  address: string | NatsAddress,
  changes: Partial<NatsBrokerOptions> = {},
): Promise<NatsBroker> {
  return NatsBroker.open({
    clock: systemClock,
    address: typeof address === "string" ? { servers: [address] } : address,
    cluster: "test",
    hub: "one",
    limits: { maxEntries: 100, maxAgeMs: 300_000 },
    leaseMs: 1000,
    ...changes,
  }, new AbortController().signal);
}

/** Times a broker is tried whose servers elect a leader meanwhile; each takes two seconds at most. */
const MAX_TRIES = 10;

/** Opens the broker where servers may have to agree first on who leads. */
export async function openInTime(...where: Parameters<typeof open>): ReturnType<typeof open> {
  for (let tries = 1;; tries++) {
    try {
      return await open(...where);
    } catch (error) {
      if (tries === MAX_TRIES) throw error;
    }
  }
}

/** Resolves with why the broker was lost. */
export function lossOf({ lost }: NatsBroker): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const tell = () => resolve(lost.reason.message);
  if (lost.aborted) tell();
  else lost.addEventListener("abort", tell, { once: true });
  return within(promise, { explain: () => "the broker was not lost" });
}

/** Reads on and keeps what came. */
export async function readFrom(broker: NatsBroker, from: number) {
  const read: Stored[] = [];
  const watched = new Watched();
  await broker.read(from, (entry) => {
    read.push(entry);
    watched.changed();
  });
  const explain = () => `read ${read.map(({ seq }) => seq)}`;
  const until = (count: number) =>
    watched.until(() => read.length >= count || undefined, { explain });
  return { read, until };
}
