import type { Figures } from "./figures.ts";
import type { Kit, ReadyPeer } from "./peer.ts";

/** What one run of one peer gave. */
export interface Sample {
  readonly figures: Figures;
  /** What the load client found wrong. A sample with faults is failed, whatever its figures say. */
  readonly faults: readonly string[];
}

/** One workload at one size. */
export interface Case {
  /** Such as `tick/5000`. */
  readonly id: string;
  readonly title: string;
  /** Further rounds leave it out. Default: no limit. */
  readonly maxRounds?: number;
  /** Peers that it can be asked of, by name. Default: all but those for batches. */
  readonly isFor?: (peer: string) => boolean;
  measure(peer: ReadyPeer, kit: Kit): Promise<Sample>;
}
