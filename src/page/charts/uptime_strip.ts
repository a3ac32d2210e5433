/// <reference lib="dom" />
import { h } from "../elements.ts";
import { formatDuration } from "../format.ts";
import { picture, svg } from "./drawing.ts";

/** How a channel stood, as `/uptime?steps=…` tells it. */
export interface ShownUptime {
  readonly fresh_seconds: number;
  readonly stale_seconds: number;
  readonly unknown_seconds: number;
  readonly fresh_ratio: number | null;
  /** Fresh, stale and unknown seconds of each step, the oldest first. */
  readonly steps?: readonly (readonly [number, number, number])[];
}

const STEP = 4;
const HEIGHT = 10;

/** Trouble stands out by its height too, so that no colour is needed. */
const HEIGHTS = { stale: HEIGHT, fresh: 6, unknown: 2 } as const;

/** A strip of how a channel stood: what nobody knows is neither good nor bad. */
export function uptimeStrip(uptime: ShownUptime, forWords: string): HTMLElement {
  const { steps = [] } = uptime;
  const bars = steps.map(([fresh, stale, unknown], index) => {
    const kind = stale > 0 ? "stale" : fresh > 0 && fresh >= unknown ? "fresh" : "unknown";
    return svg("rect", {
      class: `step ${kind}`,
      x: index * STEP,
      width: STEP - 1,
      y: HEIGHT - HEIGHTS[kind],
      height: HEIGHTS[kind],
    });
  });
  const said = describeUptime(uptime, forWords);
  return h(
    "span",
    { class: "strip", role: "img", "aria-label": said, title: said },
    picture(Math.max(1, steps.length) * STEP - 1, HEIGHT, ...bars),
  );
}

/** How a channel stood, in a sentence. */
export function describeUptime(uptime: ShownUptime, forWords: string): string {
  const { fresh_ratio, stale_seconds, unknown_seconds } = uptime;
  if (fresh_ratio === null) return `Last ${forWords}: not known`;
  const rounded = Math.floor(fresh_ratio * 10_000) / 100;
  const stale = stale_seconds > 0 ? `, stale for ${formatDuration(stale_seconds * 1000)}` : "";
  const unknown = unknown_seconds >= 60
    ? `, not known for ${formatDuration(unknown_seconds * 1000)}`
    : "";
  return `Last ${forWords}: ${rounded} % fresh${stale}${unknown}`;
}
