/// <reference lib="dom" />
// @ts-types="@types/d3-shape"
import { area, line } from "d3-shape";
import { h, update } from "./elements.ts";
import { formatMoment, formatNumber } from "./format.ts";
import type { ChartHistory, Line } from "./history.ts";

/** The drawing's own measures; it is stretched to the width there is. */
const WIDTH = 600;
const HEIGHT = 72;

/** Room above and below, so that a line at the edge keeps its full width. */
const EDGE = 2;

/** The least time a chart spans, in seconds: a new one grows from the right. */
const LEAST_SPAN_SECONDS = 60;

/** A small chart of a channel's history, with its legend; for those who listen, a sentence. */
export class Chart {
  readonly element: HTMLElement = h("figure", { class: "chart", hidden: true });

  /** Shows the history as it is now. */
  show(history: ChartHistory): void {
    const { times, lines, unit } = history;
    this.element.hidden = times.length < 2 || lines.length === 0;
    if (this.element.hidden) return;
    const format = (value: number) => formatNumber(value, unit);
    const [low, high] = unit === "ratio" ? [0, 1] as const : rangeOf(lines);
    const end = times.at(-1) ?? 0;
    const start = Math.min(times[0] ?? end, end - LEAST_SPAN_SECONDS);
    const x = (index: number) => round(((times[index] ?? end) - start) / (end - start) * WIDTH);
    const y = (value: number) =>
      round(HEIGHT - EDGE - (value - low) / (high - low) * (HEIGHT - 2 * EDGE));
    update(
      this.element,
      h(
        "div",
        { class: "plot", role: "img", "aria-label": describe(lines, format) },
        h("span", { class: "y-high", "aria-hidden": "true" }, format(high)),
        h("span", { class: "y-low", "aria-hidden": "true" }, format(low)),
        draw(lines, x, y),
        h("span", { class: "x-start", "aria-hidden": "true" }, formatMoment(start)),
        h("span", { class: "x-end", "aria-hidden": "true" }, formatMoment(end)),
      ),
      h(
        "figcaption",
        { class: "legend" },
        ...lines.map((each, index) => legendOf(each, index, format)),
      ),
    );
  }
}

/** Tenths of a unit are finer than any screen. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}

type Place = (value: number) => number;

/** The lines; where there was no live value, they break. */
function draw(lines: readonly Line[], x: Place, y: Place): SVGElement {
  const box = svg("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    "aria-hidden": "true",
    focusable: "false",
  });
  const edges = `M0 ${EDGE}H${WIDTH}M0 ${HEIGHT - EDGE}H${WIDTH}`;
  box.append(svg("path", { class: "grid", d: edges }));
  const place = line<number | null>()
    .defined((value) => value !== null)
    .x((_value, index) => x(index))
    .y((value) => y(value ?? 0));
  const wash = area<number | null>()
    .defined((value) => value !== null)
    .x((_value, index) => x(index))
    .y0(HEIGHT - EDGE)
    .y1((value) => y(value ?? 0));
  for (const [index, { values }] of lines.entries()) {
    if (index === 0) box.append(svg("path", { class: "wash", d: wash([...values]) ?? "" }));
    box.append(svg("path", { class: `line line-${index + 1}`, d: place([...values]) ?? "" }));
  }
  return box;
}

function svg(tag: string, attributes: Readonly<Record<string, string>>): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** From zero to the largest, so that noise does not look like a storm. */
function rangeOf(lines: readonly Line[]): readonly [low: number, high: number] {
  const seen = lines.flatMap(({ values }) => values.filter((value) => value !== null));
  const low = Math.min(0, ...seen);
  const high = Math.max(0, ...seen);
  return high > low ? [low, high] : [low, low + 1];
}

function legendOf(each: Line, index: number, format: (value: number) => string): HTMLElement {
  const last = each.values.at(-1);
  return h(
    "span",
    { class: `key line-${index + 1}` },
    h("span", { class: "dash", "aria-hidden": "true" }),
    `${each.name} `,
    h("span", { class: "number" }, typeof last === "number" ? format(last) : "–"),
  );
}

function describe(lines: readonly Line[], format: (value: number) => string): string {
  const sentences = lines.map(({ name, values }) => {
    const seen = values.filter((value) => value !== null);
    if (seen.length === 0) return `${name}: nothing yet`;
    return `${name}: ${format(Math.min(...seen))} to ${format(Math.max(...seen))}`;
  });
  return `History since this page was opened. ${sentences.join(". ")}.`;
}
