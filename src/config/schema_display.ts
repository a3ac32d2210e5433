/** How a channel is shown on the page: what its name and its value do not tell. */
import { nonEmpty, wholeNumber } from "./fields.ts";

/** Longest words for people, in characters: a tile has room for about so many. */
const LONGEST_WORDS = 60;
const LONGEST_UNIT = 20;

function words(expected: string, longest: number) {
  const error = `${expected}, ${longest} characters at most`;
  return nonEmpty(error).max(longest, { error });
}

/** For the page alone: polling and clients know nothing of them. */
export const displaySettings = {
  title: words("a title", LONGEST_WORDS).exactOptional()
    .describe("What the page calls it. Default: made of the channel's name."),
  group: words("a group's name", LONGEST_WORDS).exactOptional()
    .describe("The page shows sources of one group together."),
  unit: words("a unit", LONGEST_UNIT).exactOptional().describe(
    "What its numbers count whose names do not tell: bytes, bytes_per_second, per_second, ratio, " +
      'seconds, milliseconds, or any word, such as "°C".',
  ),
  order: wholeNumber(-1_000_000, 1_000_000).exactOptional().describe(
    "Lower comes first on the page, without one as 0. Default: as in this file.",
  ),
};

/** As much of it as is set. */
export interface Display {
  readonly title?: string;
  readonly group?: string;
  readonly unit?: string;
  readonly order?: number;
}

/** Takes it out of a channel's settings. */
export function displayOf({ title, group, unit, order }: Display): Display {
  return {
    ...(title === undefined ? {} : { title }),
    ...(group === undefined ? {} : { group }),
    ...(unit === undefined ? {} : { unit }),
    ...(order === undefined ? {} : { order }),
  };
}
