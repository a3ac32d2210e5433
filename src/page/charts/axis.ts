import type { Unit } from "../format.ts";
import type { Line } from "./history.ts";

/** A spread smaller than this part of the largest value could not be seen from zero. */
const SMALL_SPREAD = 0.25;

/** Where an axis begins and ends. */
export type Range = readonly [low: number, high: number];

/**
 * From zero to the largest, so that noise does not look like a storm; unless that would hide all
 * that moves. A share is a share of everything.
 */
export function rangeOf(lines: readonly Line[], unit: Unit): Range {
  if (unit === "ratio") return [0, 1];
  let [least, most] = [Infinity, -Infinity];
  for (const { values } of lines) {
    for (const value of values) {
      if (value === null) continue;
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
  }
  if (least === Infinity) return [0, 1];
  const spread = most - least;
  const size = Math.max(Math.abs(least), Math.abs(most));
  if (spread > 0 && spread < size * SMALL_SPREAD) return [least - spread / 4, most + spread / 4];
  const [low, high] = [Math.min(0, least), Math.max(0, most)];
  return high > low ? [low, high] : [low, low + 1];
}

/** The least time a chart spans, in seconds. */
const LEAST_SPAN_SECONDS = 60;

/**
 * What a window shows: all of it, or as far back as anything is known. It ends now, so that the time
 * in which nothing came is seen.
 */
export function timesOf(times: readonly number[], windowSeconds: number, now: number): Range {
  const first = Math.max(now - windowSeconds, times[0] ?? now);
  return [Math.min(first, now - LEAST_SPAN_SECONDS), now];
}

/** The moment nearest to a time; -1 if there is none. */
export function nearest(times: readonly number[], at: number): number {
  let found = -1;
  let distance = Infinity;
  for (const [index, time] of times.entries()) {
    if (Math.abs(time - at) >= distance) continue;
    distance = Math.abs(time - at);
    found = index;
  }
  return found;
}
