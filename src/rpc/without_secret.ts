/** So much of a longer secret's beginning is as telling as the whole, in characters. */
const TELLING_START = 12;

/** Stands in an error's text for a secret. */
const MASK = "…";

/**
 * A text without a secret, nor the beginning of one: excerpts of answers end anywhere. Servers echo
 * it as they were sent it, or as it is written in an address, in JSON or in HTML.
 */
export function withoutSecret(text: string, secret: string): string {
  const characters = [...secret].map(spellingsOf);
  const least = Math.min(characters.length, TELLING_START);
  let kept = "";
  for (let at = 0; at < text.length;) {
    const end = endOfSecret(text, at, { characters, least });
    kept += end === undefined ? text[at] : MASK;
    at = end ?? at + 1;
  }
  return kept;
}

interface SpelledSecret {
  /** The ways in which each of its characters can be written. */
  readonly characters: readonly (readonly string[])[];
  /** So many of them are as telling as all. */
  readonly least: number;
}

/** Where the secret that stands at a place of a text ends, or what there is of it. */
function endOfSecret(
  text: string,
  start: number,
  { characters, least }: SpelledSecret,
): number | undefined {
  let ends: readonly number[] = [start]; // several, as one spelling may begin with another
  for (const [index, spellings] of characters.entries()) {
    const isWithin = index > 0;
    const next = ends.flatMap((end) => endsOfCharacter(text, end, { spellings, isWithin }));
    if (next.length === 0) return index < least ? undefined : Math.max(...ends);
    ends = [...new Set(next)];
  }
  return Math.max(...ends);
}

/** Where a character ends that begins at a place of a text, behind backslashes within a secret. */
function endsOfCharacter(
  text: string,
  start: number,
  { spellings, isWithin }: { spellings: readonly string[]; isWithin: boolean },
): number[] {
  for (let end = start;; end++) {
    const found = spellings.filter((each) => text.startsWith(each, end));
    if (found.length > 0) return found.map((each) => end + each.length);
    if (!isWithin || text[end] !== "\\") return [];
  }
}

/** The ways in which a character is written: as it is, in an address, in JSON, in HTML. */
function spellingsOf(character: string): string[] {
  if (/[a-z0-9]/i.test(character)) return [character];
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  const bytes = [...new TextEncoder().encode(character)];
  const inAddress = bytes.map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  const escape = `u${hex.padStart(4, "0")}`; // behind a backslash, which is left out
  return [
    character,
    ...[inAddress, `&#x${hex};`, escape].flatMap((each) => [each, inUpperHex(each)]),
    `&#${code};`,
    `&#0${code};`,
    ...(HTML_NAMES[character] ?? []),
    ...(character === " " ? ["+"] : []),
  ];
}

/** What stands behind `%`, `&#x` or `u`, in capitals. */
function inUpperHex(spelling: string): string {
  return spelling.replace(/[a-f]/g, (digit) => digit.toUpperCase());
}

const HTML_NAMES: Readonly<Record<string, readonly string[]>> = {
  "&": ["&amp;"],
  "<": ["&lt;"],
  ">": ["&gt;"],
  '"': ["&quot;"],
  "'": ["&apos;"],
};
