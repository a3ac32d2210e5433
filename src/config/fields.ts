/**
 * The kinds of field a configuration is made of. Each says in words what it takes: an issue's
 * message is what was expected, and what was found is added where issues are read (problems.ts).
 */
import * as z from "zod";
import {
  DURATION_GRAMMAR,
  DURATION_PATTERN,
  formatDuration,
  LONGEST,
  type Milliseconds,
  parseDuration,
} from "./duration.ts";
import { type Aliases, oneOf } from "./suggest.ts";
import { type FileKind, withTraits } from "./traits.ts";

/** An object with these keys and no others. */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== "unrecognized_keys") return `an object with the keys ${known.join(", ")}`;
      // One issue holds all unknown keys; their answers are lines in the same order.
      return issue.keys.map((key) => oneOf(known, key)).join("\n");
    },
  });
}

export interface DurationLimits {
  /** Shortest allowed, in milliseconds. Default 1. */
  min?: Milliseconds;
  /** Longest allowed, in milliseconds. Default: what timers can count. */
  max?: Milliseconds;
}

/** A string such as `"5s"` in the file, a number of milliseconds afterwards. */
export function duration(limits: DurationLimits = {}) {
  const { min = 1, max = LONGEST } = limits;
  const error = `${DURATION_GRAMMAR}, from "${formatDuration(min)}" to "${formatDuration(max)}"`;
  return withTraits(
    z.string({ error })
      .regex(DURATION_PATTERN, { error, abort: true })
      .refine((text) => {
        const ms = parseDuration(text);
        return ms !== undefined && ms >= min && ms <= max;
      }, { error })
      .transform((text): Milliseconds => parseDuration(text) ?? 0),
    { unit: "ms" },
  );
}

/** The longest path of a file that is one; what is longer is the file's text in its place. */
const LONGEST_PATH = 1024;

/** The path of a file that holds something; relative ones are taken from the configuration's. */
export function filePath(kind: FileKind, expected: string) {
  const error = `${expected}, not what is in it`;
  return withTraits(
    nonEmpty(expected).refine(
      (text) => text.length <= LONGEST_PATH && !/[\r\n]|-----BEGIN /.test(text),
      { error },
    ),
    { file: kind },
  );
}

/** A whole number from `min` to `max`, both included. */
export function wholeNumber(min: number, max: number) {
  const error = `a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

export function yesOrNo() {
  return z.boolean({ error: "true or false" });
}

/** One of a few words. */
export function choice<const Words extends readonly string[]>(words: Words, aliases?: Aliases) {
  return z.enum(words, { error: ({ input }) => oneOf(words, input, aliases) });
}

/** A string that matches `pattern`, which `expected` puts in words. */
export function text(pattern: RegExp, expected: string) {
  return z.string({ error: expected }).regex(pattern, { error: expected });
}

/** Any string but the empty one. */
export function nonEmpty(expected: string) {
  return z.string({ error: expected }).min(1, { error: expected });
}

/** A URL with a host and one of these schemes; credentials in it are allowed, a fragment is not. */
export function url(schemes: readonly string[]) {
  const error = `a URL that starts with ${schemes.map((each) => `${each}://`).join(" or ")}`;
  return withTraits(
    z.string({ error }).refine((value) => {
      const parsed = URL.parse(value);
      return parsed !== null && schemes.includes(parsed.protocol.slice(0, -1)) &&
        parsed.hostname !== "" && parsed.hash === "" && /^\S+$/.test(value);
    }, { error }).meta({ pattern: `^(${schemes.join("|")})://` }),
    { url: true },
  );
}

export interface OrderedKeys {
  /** Key of the duration that must not be the longer one. */
  shorter: string;
  longer: string;
}

/**
 * A check that one duration of a section is at most another; either may come from its default, so
 * what was found is told from the value and not from the file.
 */
export function inOrder<Value extends Record<string, unknown>>({ shorter, longer }: OrderedKeys) {
  return (value: Value, context: z.core.$RefinementCtx<Value>): void => {
    const low = value[shorter];
    const high = value[longer];
    if (typeof low !== "number" || typeof high !== "number" || low <= high) return;
    context.addIssue({
      code: "custom",
      path: [shorter],
      message: `at most "${longer}", which is "${formatDuration(high)}"`,
      params: { found: `"${formatDuration(low)}"` },
    });
  };
}
