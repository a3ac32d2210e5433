/** A number of a value, at one moment. */
export interface Point {
  readonly name: string;
  /** What it counts; lines of one unit share an axis. */
  readonly unit: string;
  readonly value: number;
}

/** How one number of a channel went. */
export interface PointLine {
  readonly name: string;
  readonly unit: string;
  /** One for each moment; null where there was no fresh value, or not this number in it. */
  readonly values: readonly (number | null)[];
}

/** How the numbers of a channel went. */
export interface PointSeries {
  /** Unix seconds, rising. */
  readonly times: readonly number[];
  readonly lines: readonly PointLine[];
}

/** Channels of which points are kept, 20 MB at most together. Those that come later have none. */
export const MAX_CHANNELS = 250;

/** Numbers of one channel; what a value has beyond them is left out. */
export const MAX_LINES = 8;

/** Moments kept at each pace; when full, the oldest is forgotten. */
const MAX_MOMENTS = 360;

/** The two paces: an hour finely, a day coarsely. */
const PACES_SECONDS = [10, 240] as const;

/** What the log can tell of, in seconds. */
export const LONGEST_SECONDS = MAX_MOMENTS * PACES_SECONDS[1];

interface PointMoment {
  readonly at: number;
  /** By line; undefined: there was no fresh value. */
  readonly values: readonly (number | undefined)[] | undefined;
}

interface LoggedChannel {
  readonly lines: { readonly name: string; readonly unit: string }[];
  readonly moments: readonly PointMoment[][];
}

/**
 * How the numbers of channels went, for charts. Pure: it owns no clock. Bounded in channels, numbers
 * and moments; it outlives nothing.
 */
export class PointLog {
  readonly #channels = new Map<string, LoggedChannel>();

  /** Whether a value that comes now would be kept; of those in between, nothing need be read. */
  isDue(channel: string, unixSeconds: number): boolean {
    const known = this.#channels.get(channel);
    if (known === undefined) return this.#channels.size < MAX_CHANNELS;
    const last = known.moments[0]?.at(-1);
    return last?.values === undefined || isPast(last.at, unixSeconds, PACES_SECONDS[0]);
  }

  /** A channel has a fresh value with these numbers. */
  add(channel: string, points: readonly Point[], unixSeconds: number): void {
    if (!this.isDue(channel, unixSeconds)) return;
    const known = this.#channels.get(channel) ??
      { lines: [], moments: PACES_SECONDS.map(() => []) };
    if (points.length === 0 && known.lines.length === 0) return;
    this.#channels.set(channel, known);
    const values: (number | undefined)[] = [];
    for (const { name, unit, value } of points) {
      let line = known.lines.findIndex((each) => each.name === name && each.unit === unit);
      if (line < 0) {
        if (known.lines.length >= MAX_LINES) continue;
        line = known.lines.push({ name, unit }) - 1;
      }
      values[line] = value;
    }
    put(known, { at: unixSeconds, values });
  }

  /** It has none from now on: lines break here. */
  interrupt(channel: string, unixSeconds: number): void {
    const known = this.#channels.get(channel);
    if (known) put(known, { at: unixSeconds, values: undefined });
  }

  /** Nothing feeds it any more. */
  forget(channel: string): void {
    this.#channels.delete(channel);
  }

  /** What is known of a channel since then; undefined if nothing is. */
  read(channel: string, sinceSeconds: number, unixSeconds: number): PointSeries | undefined {
    const known = this.#channels.get(channel);
    if (known === undefined) return undefined;
    const reach = MAX_MOMENTS * PACES_SECONDS[0];
    const pace = unixSeconds - sinceSeconds <= reach ? 0 : 1;
    const moments = (known.moments[pace] ?? []).filter(({ at }) => at >= sinceSeconds);
    return {
      times: moments.map(({ at }) => Math.round(at * 10) / 10),
      lines: known.lines.map(({ name, unit }, line) => ({
        name,
        unit,
        values: moments.map(({ values }) => values?.[line] ?? null),
      })),
    };
  }
}

function put({ moments }: LoggedChannel, moment: PointMoment): void {
  for (const [index, pace] of PACES_SECONDS.entries()) {
    const list = moments[index];
    const last = list?.at(-1);
    if (list === undefined) continue;
    // A break is told once; a value after one is told at once, so that the break keeps its length.
    if (moment.values === undefined) {
      if (last === undefined || last.values === undefined) continue;
    } else if (last?.values !== undefined && !isPast(last.at, moment.at, pace)) continue;
    list.push({ ...moment, at: Math.max(moment.at, (last?.at ?? 0) + 0.1) });
    if (list.length > MAX_MOMENTS) list.shift();
  }
}

/** Whether so long has gone by; a clock that was set back has to start somewhere. */
function isPast(then: number, now: number, seconds: number): boolean {
  return now - then >= seconds || now < then - seconds;
}
