import type { Problem } from "../problems.ts";
import { Positions } from "./positions.ts";
import type { Read, RepeatedKey, TextReader } from "./reading.ts";

/** What came of reading a text: data of no known shape yet, or why it cannot be read. */
export type Syntax =
  | {
    readonly ok: true;
    readonly value: unknown;
    readonly positions: Positions;
    readonly repeated: readonly RepeatedKey[];
  }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const TOP = "an object of settings; `holdfast config example` prints one";

/**
 * Parses the text of a file. Problems tell line and column, and never quote the text: a slip of
 * syntax is as likely within a secret as anywhere. Never throws.
 */
export function parseSyntax(text: string, reader: TextReader, name: string): Syntax {
  // A byte order mark takes no column.
  const content = text.startsWith("\ufeff") ? text.slice(1) : text;
  if (content.trim() === "") return bad({ where: name, found: "an empty file", expected: TOP });
  const positions = new Positions(content);
  let read: Read;
  try {
    read = reader(content, positions);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return bad({ where: name, found: "nesting too deep to read", expected: "a flatter file" });
  }
  if (!read.ok) {
    const problems = onePerLine(read.slips.map(({ at, found, expected }) => ({
      where: name,
      ...positions.lineColumn(at),
      found,
      expected,
    })));
    return { ok: false, problems };
  }
  const { value, repeated } = read;
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return { ok: true, value, positions, repeated };
  }
  const found = value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
  return bad({ where: name, found: `${found} at the top`, expected: TOP });
}

/** What follows a slip on its line is mostly a consequence of it. */
function onePerLine(problems: readonly Problem[]): Problem[] {
  const lines = new Set<number | undefined>();
  return problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
    .filter(({ line }) => !lines.has(line) && lines.add(line));
}

function bad(problem: Problem): Syntax {
  return { ok: false, problems: [problem] };
}
