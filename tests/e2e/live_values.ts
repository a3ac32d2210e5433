import type { Told } from "../chaos/rover.ts";

/**
 * The longest time within a span that a client had to wait for the next fresh value, in milliseconds.
 * Between two polls it has a live value and waits all the same, so this is the upper bound of being
 * without one. All times are unix milliseconds.
 */
export function withoutLiveMs(
  told: readonly Told[],
  { from, until }: { readonly from: number; readonly until: number },
): number {
  let newest = from;
  let longest = 0;
  for (const each of told) {
    if (each.kind !== "fresh" || each.at < from) continue;
    const at = Math.min(each.at, until);
    longest = Math.max(longest, at - newest);
    newest = at;
  }
  return Math.max(longest, until - newest);
}
