/// <reference lib="dom" />
import { badge } from "../values/paint.ts";
import type { SourceStanding } from "./source.ts";

/** Tone, mark and word of each standing: never only a colour. */
const BADGES: Readonly<
  Record<SourceStanding, readonly [tone: string, mark: string, word: string]>
> = {
  live: ["good", "●", "Live"],
  stale: ["stale", "▲", "Stale"],
  waiting: ["idle", "○", "No value yet"],
  failed: ["critical", "✕", "Never answered"],
};

export function standingBadge(standing: SourceStanding): HTMLElement {
  return badge(...BADGES[standing]);
}
