import { numbersOf } from "../page/charts/series.ts";
import type { Clock } from "../resilience/clock.ts";
import { PointLog, type PointSeries } from "../values/point_log.ts";
import type { ValueStore } from "../values/value_store.ts";

/** Longest text whose numbers are kept, in UTF-16 units: reading it takes a millisecond or two. */
const MAX_LENGTH = 128 * 1024;

export interface PointsOptions {
  clock: Pick<Clock, "unixMs">;
  values: ValueStore;
  /** What a channel's numbers count, where their names do not tell. */
  unit: (channel: string) => string | undefined;
}

/** Keeps the numbers that the page draws, for who opens it later. */
export class Points {
  readonly #options: PointsOptions;
  readonly #log = new PointLog();

  constructor(options: PointsOptions) {
    this.#options = options;
    options.values.subscribe({
      onValue: (channel) => this.#onValue(channel),
      onStanding: ({ channel, standing }) => {
        if (standing === "retired") this.#log.forget(channel);
        else if (standing === "stale") this.#log.interrupt(channel, this.#now());
      },
    });
  }

  /** How a channel's numbers went for so long until now; undefined if nothing is known. */
  read(channel: string, forMs: number): PointSeries | undefined {
    const now = this.#now();
    return this.#log.read(channel, now - forMs / 1000, now);
  }

  #onValue(channel: string): void {
    const now = this.#now();
    if (!this.#log.isDue(channel, now)) return;
    const { values, unit } = this.#options;
    const status = values.read(channel);
    if (status === undefined || status.is_stale || status.data.length > MAX_LENGTH) return;
    this.#log.add(channel, numbersOf(channel, JSON.parse(status.data), unit(channel)), now);
  }

  #now(): number {
    return this.#options.clock.unixMs() / 1000;
  }
}
