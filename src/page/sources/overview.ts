/// <reference lib="dom" />
import type { ChartHistory } from "../charts/history.ts";
import { type Sparkline, sparkline } from "../charts/sparkline.ts";
import { type ShownUptime, uptimeStrip } from "../charts/uptime_strip.ts";
import { type Child, h, update } from "../elements.ts";
import { cut, formatDuration } from "../format.ts";
import type { Places } from "../places.ts";
import { gravestFirst, type Source } from "./source.ts";
import { standingBadge } from "./standing_badge.ts";

export interface OverviewOptions {
  places: Places;
  historyOf: (channel: string) => ChartHistory;
}

export interface OverviewInput {
  readonly sources: readonly Source[];
  readonly isWanted: (source: Source) => boolean;
  readonly uptimes: Readonly<Record<string, ShownUptime>>;
  /** What `uptimes` speaks of: "24 h". */
  readonly uptimeFor: string;
  /** Unix seconds. */
  readonly now: number;
}

/** Longest reason in a row, in characters; the card has it whole. */
const MAX_REASON = 160;

/** Most rows, which are small. */
const MAX_ROWS = 1000;

/** Time between two drawings of the small curves, in seconds. */
const DRAW_EVERY_SECONDS = 5;

interface Drawn {
  readonly at: number;
  readonly line: Sparkline | undefined;
}

/** Every source in a row of its own: the failing ones first, then by group. */
export class Overview {
  readonly #options: OverviewOptions;
  readonly #drawn = new Map<string, Drawn>();

  constructor(options: OverviewOptions) {
    this.#options = options;
  }

  render(input: OverviewInput): void {
    const { places } = this.#options;
    const shown = input.sources.filter(input.isWanted).slice(0, MAX_ROWS);
    const failing = gravestFirst(
      shown.filter(({ standing }) => standing === "failed" || standing === "stale"),
    );
    const others = shown.filter((source) => !failing.includes(source));
    const groups = [...new Set(others.map(({ group }) => group))]; // in the order of the sources
    update(
      places.failing,
      ...(failing.length === 0 ? [] : [
        h("h3", {}, `Failing (${failing.length})`),
        h("ul", { class: "rows" }, ...failing.map((source) => this.#row(source, input))),
      ]),
    );
    const titleOf = (group: string | undefined) =>
      group ?? (groups.length === 1 ? undefined : "Other sources");
    update(
      places.groups,
      ...groups.flatMap((group) => {
        const title = titleOf(group);
        const inIt = others.filter((source) => source.group === group);
        return [
          ...(title === undefined ? [] : [h("h3", {}, cut(title, 60))]),
          h("ul", { class: "tiles-list" }, ...inIt.map((source) => this.#tile(source, input))),
        ];
      }),
      ...(shown.length === 0 && input.sources.length > 0
        ? [h("p", { class: "muted" }, "No source matches.")]
        : []),
    );
  }

  #row(source: Source, input: OverviewInput): HTMLElement {
    const { channel, title, standing, reason } = source;
    const { line, strip } = this.#figures(source, input);
    return h(
      "li",
      { class: "row", "data-standing": standing, "data-row": channel },
      h(
        "div",
        { class: "row-words" },
        h(
          "p",
          { class: "row-head" },
          standingBadge(standing),
          h("a", { href: `#source-${channel}` }, title),
          ageOf(source),
        ),
        reason === undefined ? undefined : h("p", { class: "row-reason" }, cut(reason, MAX_REASON)),
      ),
      h("div", { class: "row-figures" }, line?.picture ?? h("span"), strip),
    );
  }

  #tile(source: Source, input: OverviewInput): HTMLElement {
    const { channel, title, standing } = source;
    const { line, strip } = this.#figures(source, input);
    return h(
      "li",
      { class: "tile", "data-standing": standing, "data-row": channel },
      h(
        "p",
        { class: "row-head" },
        standingBadge(standing),
        h("a", { href: `#source-${channel}` }, title),
        ageOf(source),
      ),
      h(
        "div",
        { class: "tile-figures" },
        h("span", { class: "latest" }, line?.latest),
        line?.picture ?? h("span"),
        strip,
      ),
    );
  }

  #figures({ channel }: Source, { uptimes, uptimeFor, now }: OverviewInput) {
    let drawn = this.#drawn.get(channel);
    if (drawn === undefined || Math.abs(now - drawn.at) >= DRAW_EVERY_SECONDS) {
      drawn = { at: now, line: sparkline(this.#options.historyOf(channel), now) };
      this.#drawn.set(channel, drawn);
    }
    const uptime = Object.hasOwn(uptimes, channel) ? uptimes[channel] : undefined;
    const strip: Child = uptime === undefined ? h("span") : uptimeStrip(uptime, uptimeFor);
    // What is put into the document is morphed, so the drawing kept here is given as a copy.
    const { line } = drawn;
    return {
      line: line && { ...line, picture: line.picture.cloneNode(true) as SVGElement },
      strip,
    };
  }
}

function ageOf({ state }: Source): Child {
  if (state.kind === "never_seen") return undefined;
  return h("span", { class: "age" }, formatDuration(state.ageMs));
}
