import type { Measured } from "./compare.ts";
import type { Figure } from "./figures.ts";
import { median } from "./statistics.ts";

/** What all rounds of one peer at one case say. */
export interface Row {
  readonly peer: string;
  readonly runs: number;
  /** Why runs failed, one a run; those runs count for nothing else. */
  readonly failures: readonly string[];
  readonly figures: Readonly<Partial<Record<Figure, number>>>;
}

/** The medians of each peer at a case, in order of first appearance. */
export function rowsOf(samples: readonly Measured[], id: string): Row[] {
  const ofCase = samples.filter((sample) => sample.case === id);
  return [...new Set(ofCase.map(({ peer }) => peer))].map((peer) => {
    const runs = ofCase.filter((sample) => sample.peer === peer);
    const good = runs.filter(({ faults }) => faults.length === 0);
    const names = new Set(good.flatMap(({ figures }) => Object.keys(figures) as Figure[]));
    const figures: Partial<Record<Figure, number>> = {};
    for (const name of names) {
      const middle = median(good.flatMap((run) => run.figures[name] ?? []));
      if (middle !== undefined) figures[name] = middle;
    }
    const failures = runs.filter(({ faults }) => faults.length > 0)
      .map(({ faults }) => faults.join(", "));
    return { peer, runs: runs.length, failures, figures };
  });
}

export interface RatioQuery {
  case: string;
  figure: Figure;
  peer: string;
  /** Whom to compare with; of several, whoever was best in the round. */
  against: readonly string[];
}

/**
 * How many times another's figure a peer's is: the ratio within each round, and of these the median.
 * `undefined` if there is no round in which both have the figure.
 */
export function ratioOf(samples: readonly Measured[], query: RatioQuery): number | undefined {
  const { figure, peer, against } = query;
  const good = samples.filter((sample) => sample.case === query.case && sample.faults.length === 0);
  const ratios = good.filter((sample) => sample.peer === peer).flatMap((own) => {
    const others = good
      .filter((sample) => sample.round === own.round && against.includes(sample.peer))
      .flatMap((sample) => sample.figures[figure] ?? []);
    const value = own.figures[figure];
    if (value === undefined || others.length === 0) return [];
    return [value / Math.min(...others)];
  });
  return median(ratios);
}
