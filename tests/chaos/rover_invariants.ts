/** What must hold of all that clients of a cluster were told, whatever happened meanwhile. Pure. */
import type { Breach } from "./invariants.ts";
import type { Told } from "./rover.ts";

/** What is known of what was said to all. */
export interface ClusterFacts {
  /** Numbers of the notifications that the whole cluster is known to have taken. */
  readonly shared: readonly number[];
  /** Those that a hub took while it was alone, and when, in unix milliseconds. */
  readonly alone?: readonly { readonly number: number; readonly at: number }[];
  /** When each value was given by the backend, in unix milliseconds. */
  readonly given: ReadonlyMap<number, number>;
  /** How old a value may be that comes as a fresh one, in milliseconds. */
  readonly freshForMs: number;
}

export function breachesIn(told: readonly Told[], facts: ClusterFacts): Breach[] {
  return [
    ...noDouble(told, facts),
    ...nothingSaidAloneIsLost(told, facts),
    ...ascending(told),
    ...nothingMissingUnsaid(told, facts.shared),
    ...freshIsFresh(told, facts),
  ];
}

/**
 * Each notification was published once, so no client may have it twice; but one that heard it of a hub
 * that was alone, and went to another, was told of a gap and may hear it again.
 */
function* noDouble(told: readonly Told[], { alone = [] }: ClusterFacts): Generator<Breach> {
  const had = new Set<number>();
  for (const each of told) {
    if (each.kind === "gap") { for (const { number } of alone) had.delete(number); }
    if (each.kind !== "event") continue;
    if (had.has(each.number)) yield `notification ${each.number} came twice`;
    had.add(each.number);
  }
}

/** Within an epoch numbers only grow, wherever the client went meanwhile. */
function* ascending(told: readonly Told[]): Generator<Breach> {
  const newest = new Map<string, number>();
  let epoch = "";
  for (const each of told) {
    if (each.kind === "welcome") epoch = each.epoch;
    if (each.kind !== "event" || each.seq === undefined) continue;
    const before = newest.get(epoch) ?? 0;
    if (each.seq <= before) {
      yield `number ${each.seq} after ${before} in epoch ${epoch} (notification ${each.number})`;
    }
    newest.set(epoch, each.seq);
  }
}

/** Of what the cluster has taken, a client gets all from its first one on, or is told of a gap. */
function* nothingMissingUnsaid(
  told: readonly Told[],
  shared: readonly number[],
): Generator<Breach> {
  const isShared = new Set(shared);
  let due: number[] | undefined;
  for (const each of told) {
    if (each.kind === "gap") due = undefined;
    if (each.kind !== "event" || !isShared.has(each.number)) continue;
    if (due !== undefined && due[0] !== each.number) {
      yield `notification ${due[0]} is missing, or late: ${each.number} came`;
    }
    due = shared.filter((number) => number > each.number);
  }
  if (due !== undefined && due.length > 0) yield `notification ${due[0]} and later ones never came`;
}

/** Who was there when a hub that was alone took something hears of it, or is told of a gap since. */
function* nothingSaidAloneIsLost(
  told: readonly Told[],
  { alone = [] }: ClusterFacts,
): Generator<Breach> {
  const cameAt = told.find((each) => each.kind === "welcome")?.at ?? Infinity;
  const had = new Set(told.flatMap((each) => each.kind === "event" ? each.number : []));
  const gapAt = told.findLast((each) => each.kind === "gap")?.at ?? -Infinity;
  for (const { number, at } of alone) {
    if (cameAt < at && gapAt < at && !had.has(number)) {
      yield `notification ${number}, taken by a hub that was alone, is missing`;
    }
  }
}

function* freshIsFresh(told: readonly Told[], facts: ClusterFacts): Generator<Breach> {
  for (const each of told) {
    if (each.kind !== "fresh") continue;
    const given = facts.given.get(each.n);
    if (given === undefined) yield `value ${each.n} was never given`;
    else if (each.at - given > facts.freshForMs) {
      yield `value ${each.n} is called fresh ${each.at - given} ms after it was given`;
    }
  }
}

/** The epochs a client went through, and what happened between, for the story of a breach. */
export function storyOf(told: readonly Told[]): string {
  return told.flatMap((each) => {
    if (each.kind === "welcome") {
      return `[${each.epoch.slice(0, 4)}${each.recovered ? " recovered" : ""}]`;
    }
    if (each.kind === "gap") return "GAP";
    return each.kind === "event" ? `${each.number}/${each.seq ?? "-"}` : [];
  }).join(" ");
}
