import { ChartHistory, type RecalledSeries } from "../charts/history.ts";
import { numbersOf } from "../charts/series.ts";
import type { Source } from "./source.ts";

/** The numbers of every channel over time: what the hub remembers, and what this page sees. */
export class Histories {
  readonly #all = new Map<string, ChartHistory>();
  #windowSeconds: number;

  constructor(windowSeconds: number) {
    this.#windowSeconds = windowSeconds;
  }

  get windowSeconds(): number {
    return this.#windowSeconds;
  }

  of(channel: string): ChartHistory {
    let history = this.#all.get(channel);
    if (history === undefined) {
      history = new ChartHistory(this.#windowSeconds);
      this.#all.set(channel, history);
    }
    return history;
  }

  /** Another window is looked at; {@linkcode recall} follows once the hub has answered. */
  setWindow(seconds: number): void {
    this.#windowSeconds = seconds;
  }

  recall(series: Readonly<Record<string, RecalledSeries>>): void {
    for (const [channel, each] of Object.entries(series)) {
      this.of(channel).recall(each, this.#windowSeconds);
    }
  }

  /** A source's state came. */
  take({ channel, state, unit }: Source, unixSeconds: number): void {
    const history = this.of(channel);
    if (state.kind === "live") history.add(numbersOf(channel, state.data, unit), unixSeconds);
    else history.interrupt(unixSeconds);
  }

  keepOnly(channels: ReadonlySet<string>): void {
    for (const channel of this.#all.keys()) {
      if (!channels.has(channel)) this.#all.delete(channel);
    }
  }
}
