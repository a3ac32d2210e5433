/** Durations as people write them, and as the rest of the house counts them. */

/** A length of time in milliseconds. */
export type Milliseconds = number;

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

type DurationUnit = keyof typeof UNITS;

/** Whole digits and one unit. Twelve digits, so that the number of milliseconds stays exact. */
export const DURATION_PATTERN = /^([0-9]{1,12})(ms|s|m|h|d)$/;

/** The grammar in words, for error messages. */
export const DURATION_GRAMMAR = `a duration such as "250ms", "5s", "2m", "1h" or "1d"`;

/**
 * The longest duration accepted anywhere: timers count milliseconds in 31 bits, and fire at once
 * when asked for more.
 */
export const LONGEST: Milliseconds = 24 * UNITS.d;

/** Reads a duration such as `"250ms"`; `undefined` if it is none. */
export function parseDuration(text: string): Milliseconds | undefined {
  const match = DURATION_PATTERN.exec(text);
  if (match === null) return undefined;
  const [, digits, unit] = match;
  return Number(digits) * UNITS[unit as DurationUnit];
}

/** Writes a duration in the largest unit that leaves a whole number: 90 s is `"90s"`. */
export function formatDuration(ms: Milliseconds): string {
  const units = (Object.keys(UNITS) as DurationUnit[]).reverse();
  const unit = ms === 0 ? "s" : units.find((each) => ms % UNITS[each] === 0) ?? "ms";
  return `${ms / UNITS[unit]}${unit}`;
}
