import type { NumberNow } from "./series.ts";
import type { Unit } from "../format.ts";

/** Moments kept of a window: the pixels of a chart, and some. Nearer ones are one. */
export const MAX_MOMENTS = 600;

/** One line of a chart; `null` where there was no live value. */
export interface Line {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

/** Lines that share an axis, as they count the same. */
export interface Group {
  readonly unit: Unit;
  readonly lines: readonly Line[];
}

/** How a channel's numbers went, as the hub tells it. */
export interface RecalledSeries {
  readonly times: readonly number[];
  readonly lines: readonly {
    readonly name: string;
    readonly unit: Unit;
    readonly values: readonly (number | null)[];
  }[];
}

interface ChartMoment {
  readonly at: number;
  /** By unit and name; null where there was no live value. */
  readonly values: ReadonlyMap<string, number> | null;
}

/** How a channel's numbers went within a window: what the hub remembers, and what came since. */
export class ChartHistory {
  #moments: ChartMoment[] = [];
  /** Unit and name of the lines that the latest value has. */
  #lines: readonly { readonly key: string; readonly unit: Unit; readonly name: string }[] = [];
  #windowSeconds: number;

  constructor(windowSeconds: number) {
    this.#windowSeconds = windowSeconds;
  }

  get windowSeconds(): number {
    return this.#windowSeconds;
  }

  /** Unix seconds of the moments. */
  get times(): readonly number[] {
    return this.#moments.map(({ at }) => at);
  }

  /** The lines that the latest value has, those of one unit together. */
  get groups(): readonly Group[] {
    const units = [...new Set(this.#lines.map(({ unit }) => unit))];
    return units.map((unit) => ({
      unit,
      lines: this.#lines.filter((line) => line.unit === unit).map(({ key, name }) => ({
        name,
        values: this.#moments.map(({ values }) => values?.get(key) ?? null),
      })),
    }));
  }

  /** Takes what the hub remembers of a window; what this page has seen since then stays. */
  recall(series: RecalledSeries, windowSeconds: number): void {
    this.#windowSeconds = windowSeconds;
    const told: ChartMoment[] = series.times.map((at, index) => {
      const values = series.lines.flatMap(({ name, unit, values }) => {
        const value = values[index];
        return typeof value === "number" ? [[keyOf(unit, name), value] as const] : [];
      });
      return { at, values: values.length > 0 ? new Map(values) : null };
    });
    const last = told.at(-1)?.at ?? -Infinity;
    this.#moments = [...told, ...this.#moments.filter(({ at }) => at > last)].slice(-MAX_MOMENTS);
    if (this.#lines.length === 0) this.#lines = series.lines.map(lineOf);
  }

  /** Remembers the numbers of a live value. */
  add(numbers: readonly NumberNow[], unixSeconds: number): void {
    if (numbers.length > 0) this.#lines = numbers.map(lineOf);
    this.#put(
      new Map(numbers.map(({ unit, name, value }) => [keyOf(unit, name), value])),
      unixSeconds,
    );
  }

  /** Remembers that from now on there is no live value: the lines break here. */
  interrupt(unixSeconds: number): void {
    const last = this.#moments.at(-1);
    if (last !== undefined && last.values !== null) this.#put(null, unixSeconds);
  }

  #put(values: ChartMoment["values"], unixSeconds: number): void {
    const moments = this.#moments;
    const last = moments.at(-1);
    // Should the wall clock have been put back, time goes on from where it was.
    const at = Math.max(unixSeconds, (last?.at ?? -Infinity) + 0.001);
    // Two moments of one kind are one; a break keeps its place beside a value.
    const before = moments.at(-2);
    const isSame = last !== undefined && before !== undefined &&
      at - before.at < this.#windowSeconds / MAX_MOMENTS &&
      (values === null) === (last.values === null);
    if (isSame) moments[moments.length - 1] = { at, values };
    else moments.push({ at, values });
    const oldest = at - this.#windowSeconds;
    while (moments.length > MAX_MOMENTS || (moments[0]?.at ?? at) < oldest) moments.shift();
  }
}

function keyOf(unit: Unit, name: string): string {
  return `${unit} ${name}`;
}

function lineOf({ unit, name }: { unit: Unit; name: string }) {
  return { key: keyOf(unit, name), unit, name };
}
