import type { Case, Sample } from "./case.ts";
import { BATCHED } from "./peers.ts";
import type { Kit, ReadyPeer } from "./peer.ts";

/** Characters kept of why a measurement failed. */
const MOST_OF_A_REASON = 200;

/** A sample and what it is of. */
export interface Measured extends Sample {
  /** From 1. */
  readonly round: number;
  readonly case: string;
  readonly peer: string;
}

export interface CompareOptions {
  kit: Kit;
  rounds: number;
  /** Ends it after the measurement under way, which does not count any more. */
  signal: AbortSignal;
  /** Called after each sample. */
  onSample: (measured: Measured) => void;
}

/**
 * Measures every case with every peer, round by round: in each round peers take turns at each case, so
 * that whatever else the machine does meets all of them, and a ratio within a round means something.
 *
 * A measurement that fails is a sample without figures whose faults say why.
 */
export async function compare(
  cases: readonly Case[],
  peers: readonly ReadyPeer[],
  options: CompareOptions,
): Promise<Measured[]> {
  const { kit, rounds, signal, onSample } = options;
  const all: Measured[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const each of cases) {
      if (round > (each.maxRounds ?? Infinity)) continue;
      const isFor = each.isFor ?? ((peer) => peer !== BATCHED);
      for (const peer of inTurn(peers.filter(({ name }) => isFor(name)), round)) {
        const sample = await sampled(each, peer, kit);
        if (signal.aborted) return all;
        const measured = { round, case: each.id, peer: peer.name, ...sample };
        all.push(measured);
        onSample(measured);
      }
    }
  }
  return all;
}

/** Every round begins with another peer: nobody is always the one after the heaviest. */
function inTurn<T>(peers: readonly T[], round: number): T[] {
  const first = peers.length === 0 ? 0 : (round - 1) % peers.length;
  return [...peers.slice(first), ...peers.slice(0, first)];
}

async function sampled(each: Case, peer: ReadyPeer, kit: Kit): Promise<Sample> {
  try {
    return await each.measure(peer, kit);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { figures: {}, faults: [why.replaceAll(/\s+/g, " ").slice(0, MOST_OF_A_REASON)] };
  }
}
