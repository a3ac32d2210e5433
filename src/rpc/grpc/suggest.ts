// @ts-types="../../std_types/levenshtein_distance.d.ts"
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** Most names that an error lists. */
const MAX_LISTED = 10;

/** Longer names are not compared: it would cost more than the hint is worth. */
const LONGEST_NAME = 200;

/** What there is in place of `given`, in words: what was likely meant, and the names. */
export function whatThereIs(given: string, names: readonly string[]): string {
  if (names.length === 0) return "there is none";
  const listed = names.slice(0, MAX_LISTED).join(", ") + (names.length > MAX_LISTED ? ", …" : "");
  const meant = closest(given, names);
  const hint = meant === undefined ? "" : `did you mean "${meant}"? `;
  return `${hint}there is ${listed}`;
}

/** The name within a third of its letters of `given`; `undefined` if none is that close. */
function closest(given: string, names: readonly string[]): string | undefined {
  if (given.length > LONGEST_NAME) return undefined;
  let best: string | undefined;
  let least = Math.max(1, Math.floor(given.length / 3)) + 1;
  for (const name of names) {
    const distance = levenshteinDistance(given.toLowerCase(), name.toLowerCase());
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}
