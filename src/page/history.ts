import type { Unit } from "./format.ts";
import type { Readings } from "./series.ts";

/** Most moments remembered of a channel; the oldest is forgotten. */
export const MAX_MOMENTS = 360;

/** Moments nearer to each other than this are one, in seconds: the later one counts. */
const RESOLUTION_SECONDS = 1;

/** One line of a chart; `null` where there was no live value. */
export interface Line {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

/** What a channel's chart shows: the numbers seen since the page was opened, six minutes or more. */
export class ChartHistory {
  readonly #times: number[] = [];
  readonly #moments: (ReadonlyMap<string, number> | null)[] = [];
  #unit: Unit = "plain";
  #names: readonly string[] = [];

  /** Unix seconds of the moments. */
  get times(): readonly number[] {
    return this.#times;
  }

  get unit(): Unit {
    return this.#unit;
  }

  /** The lines that the latest value has. */
  get lines(): readonly Line[] {
    return this.#names.map((name) => ({
      name,
      values: this.#moments.map((moment) => moment?.get(name) ?? null),
    }));
  }

  /** Remembers the numbers of a live value. */
  add(readings: Readings, unixSeconds: number): void {
    if (readings.unit !== this.#unit) this.#clear();
    this.#unit = readings.unit;
    this.#names = [...new Set(readings.list.map(({ name }) => name))];
    const moment = new Map(readings.list.map(({ name, value }) => [name, value]));
    this.#put(moment, unixSeconds);
  }

  /** Remembers that from now on there is no live value: the lines break here. */
  interrupt(unixSeconds: number): void {
    if (this.#times.length > 0 && this.#moments.at(-1) !== null) this.#put(null, unixSeconds);
  }

  #put(moment: ReadonlyMap<string, number> | null, unixSeconds: number): void {
    const last = this.#times.at(-1);
    const isSame = last !== undefined && unixSeconds - last < RESOLUTION_SECONDS;
    // Two moments of one kind are one; a break keeps its place beside a value. Should the wall
    // clock have been put back, time goes on from where it was: a chart's time only grows.
    if (isSame && (moment === null) === (this.#moments.at(-1) === null)) {
      this.#moments[this.#moments.length - 1] = moment;
      return;
    }
    this.#times.push(Math.max(unixSeconds, (last ?? -Infinity) + 0.001));
    this.#moments.push(moment);
    if (this.#times.length <= MAX_MOMENTS) return;
    this.#times.shift();
    this.#moments.shift();
  }

  #clear(): void {
    this.#times.length = 0;
    this.#moments.length = 0;
  }
}
