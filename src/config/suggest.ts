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
    const distance = distanceOf(word.toLowerCase(), each.toLowerCase());
    if (distance < least) [best, least] = [each, distance];
  }
  return best;
}

/** Edits from one word to the other; two neighbours that changed places are one edit. */
function distanceOf(a: string, b: string): number {
  const at = [...a].findIndex((letter, index) => letter !== b[index]);
  const swapped = a.slice(0, at) + (a[at + 1] ?? "") + (a[at] ?? "") + a.slice(at + 2);
  return at >= 0 && swapped === b ? 1 : levenshteinDistance(a, b);
}

/** Words that other programs use for the same thing, and what they are called here. */
export type Aliases = Readonly<Record<string, string>>;

/** What `word` was most likely meant to be: by another name of the same thing, or by a slip. */
export function meant(
  word: string,
  known: readonly string[],
  aliases: Aliases = {},
): string | undefined {
  const alias = Object.hasOwn(aliases, word.toLowerCase())
    ? aliases[word.toLowerCase()]
    : undefined;
  return alias !== undefined && known.includes(alias) ? alias : suggest(word, known);
}

/** What is allowed in place of `word`, in words: the list, and what was likely meant. */
export function oneOf(known: readonly string[], word?: unknown, aliases?: Aliases): string {
  if (known.length === 0) return "none (there is nothing to choose from)";
  const likely = typeof word === "string" ? meant(word, known, aliases) : undefined;
  const list = known.length === 1 ? `${known[0]}` : `one of ${known.join(", ")}`;
  return likely === undefined ? list : `${list}; did you mean "${likely}"?`;
}
