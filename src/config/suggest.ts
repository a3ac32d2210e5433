// @ts-types="../std_types/levenshtein_distance.d.ts"
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** One edit in so many characters still looks like a slip of the finger. */
const CHARACTERS_PER_EDIT = 2;

/** More edits than this make another word, however long it is. */
const MOST_EDITS = 3;

/** Longer words are not compared: it would cost more than the hint is worth. */
const LONGEST_WORD = 64;

/** The known word that `word` was most likely meant to be; `undefined` if none is close. */
export function suggest(word: string, known: readonly string[]): string | undefined {
  if (word.length > LONGEST_WORD) return undefined;
  let best: string | undefined;
  let least = Math.min(MOST_EDITS, Math.max(1, Math.floor(word.length / CHARACTERS_PER_EDIT))) + 1;
  for (const each of known) {
    const distance = levenshteinDistance(word.toLowerCase(), each.toLowerCase());
    if (distance < least) [best, least] = [each, distance];
  }
  return best;
}

/** What is allowed in place of `word`, in words: the list, and what was likely meant. */
export function oneOf(known: readonly string[], word?: unknown): string {
  if (known.length === 0) return "none (there is nothing to choose from)";
  const meant = typeof word === "string" ? suggest(word, known) : undefined;
  const list = known.length === 1 ? `${known[0]}` : `one of ${known.join(", ")}`;
  return meant === undefined ? list : `${list}; did you mean "${meant}"?`;
}
