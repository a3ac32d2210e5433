import { withoutSecrets } from "./without_secrets.ts";

/** Something that was thrown, fit for a log line. */
export interface Thrown {
  /** Name and message, those of its causes behind it. */
  readonly why: string;
  /** Where it came from, innermost call first; empty if that is not known. */
  readonly stack: readonly string[];
}

/** Causes that are told, the error itself included. */
const MAX_CAUSES = 4;
/** Calls of the stack that are told. */
const MAX_FRAMES = 8;
/** Longest of each text, in characters. */
const MAX_WHY = 500;
const MAX_FRAME = 200;
/** As much of a text as is looked at, in characters: a message may be a whole answer. */
const MAX_LOOK = 8_000;

/**
 * What a log says of anything that can be thrown, an error or not. Bounded, one line each, without
 * secrets that can be told by their looks; never throws, whatever it is given.
 */
export function describeThrown(thrown: unknown): Thrown {
  try {
    return { why: whyOf(thrown), stack: framesOf(thrown) };
  } catch {
    // A getter or `toString` of its own threw.
    return { why: "something that cannot be shown", stack: [] };
  }
}

function whyOf(thrown: unknown): string {
  const told: string[] = [];
  for (let each = thrown; told.length < MAX_CAUSES; each = each.cause) {
    if (!(each instanceof Error)) {
      if (each !== undefined || told.length === 0) told.push(shown(String(each), MAX_WHY));
      break;
    }
    told.push(shown(`${each.name}: ${each.message}`, MAX_WHY));
  }
  return told.join("; because of ");
}

function framesOf(thrown: unknown): string[] {
  if (!(thrown instanceof Error)) return [];
  const lines = String(thrown.stack ?? "").slice(-MAX_LOOK).split("\n");
  return lines.filter((line) => /^\s+at /.test(line))
    .slice(0, MAX_FRAMES)
    .map((line) => shown(line.trim(), MAX_FRAME));
}

/** A text as one short line; cleaned before it is cut, as half a secret is not told by its looks. */
function shown(text: string, maxLength: number): string {
  const line = withoutSecrets(text.slice(0, MAX_LOOK).replace(/\s+/g, " ")).trim();
  return line.length > maxLength ? `${line.slice(0, maxLength)}…` : line;
}
