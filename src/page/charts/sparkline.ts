/// <reference lib="dom" />
import { formatNumber } from "../format.ts";
import { rangeOf, timesOf } from "./axis.ts";
import { draw, picture } from "./drawing.ts";
import type { ChartHistory } from "./history.ts";

const WIDTH = 120;
const HEIGHT = 24;

/** The first number of a channel, as it is and as it went. */
export interface Sparkline {
  readonly picture: SVGElement;
  /** Its latest value, in words; absent while there is none. */
  readonly latest?: string;
}

/** Draws the first number of a channel; undefined if it has none. */
export function sparkline(history: ChartHistory, unixSeconds: number): Sparkline | undefined {
  const { times, groups, windowSeconds } = history;
  const [group] = groups;
  const [line] = group?.lines ?? [];
  if (group === undefined || line === undefined || times.length < 2) return undefined;
  const lines = [line];
  const x = timesOf(times, windowSeconds, unixSeconds);
  const y = rangeOf(lines, group.unit);
  const latest = line.values.at(-1);
  return {
    picture: picture(
      WIDTH,
      HEIGHT,
      ...draw({ width: WIDTH, height: HEIGHT, times, lines, x, y }),
    ),
    ...(typeof latest === "number"
      ? { latest: `${line.name} ${formatNumber(latest, group.unit)}` }
      : {}),
  };
}
