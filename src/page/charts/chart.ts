/// <reference lib="dom" />
import { h, update } from "../elements.ts";
import { formatDuration, formatMoment, formatNumber } from "../format.ts";
import { nearest, type Range, rangeOf } from "./axis.ts";
import { draw, picture, svg } from "./drawing.ts";
import type { Group, Line } from "./history.ts";

/** The drawing's own measures. */
const WIDTH = 600;
const HEIGHT = 72;

export interface ChartData {
  readonly times: readonly number[];
  readonly group: Group;
  /** The window that is shown, in unix seconds; it goes on while nothing comes. */
  readonly window: Range;
}

/**
 * A chart of numbers that count the same. Pointing at it, or the arrow keys, read out a moment: to
 * those who listen it is a slider over time.
 */
export class Chart {
  readonly element: HTMLElement = h("figure", { class: "chart" });
  readonly #plot = h("div", { class: "plot", role: "slider", tabindex: 0 });
  readonly #legend = h("figcaption", { class: "legend" });
  #data: ChartData | undefined;
  /** The moment that is read, in unix seconds; undefined: the latest value. */
  #readAt: number | undefined;

  constructor(name: string) {
    this.#plot.setAttribute("aria-label", `${name} over time`);
    this.element.append(this.#plot, this.#legend);
    this.#plot.addEventListener("pointermove", ({ clientX }) => this.#point(clientX));
    this.#plot.addEventListener("pointerleave", () => this.#read(undefined));
    this.#plot.addEventListener("blur", () => this.#read(undefined));
    this.#plot.addEventListener("keydown", (event) => this.#step(event));
  }

  show(data: ChartData): void {
    this.#data = data;
    this.#draw(data);
  }

  #draw({ times, group: { unit, lines }, window }: ChartData): void {
    const format = (value: number) => formatNumber(value, unit);
    const y = rangeOf(lines, unit);
    const read = this.#readAt === undefined ? -1 : nearest(times, this.#readAt);
    const index = read < 0 ? times.length - 1 : read;
    const grid = svg("path", { class: "grid", d: `M0 2H${WIDTH}M0 ${HEIGHT - 2}H${WIDTH}` });
    const at = times[read];
    const cursorAt = at === undefined
      ? undefined
      : Math.round((at - window[0]) / (window[1] - window[0]) * WIDTH * 10) / 10;
    const cursor = cursorAt === undefined
      ? []
      : [svg("path", { class: "cursor", d: `M${cursorAt} 0V${HEIGHT}` })];
    const lineElements = draw({ width: WIDTH, height: HEIGHT, times, lines, x: window, y });
    update(
      this.#plot,
      h("span", { class: "y-high", "aria-hidden": "true" }, format(y[1])),
      h("span", { class: "y-low", "aria-hidden": "true" }, format(y[0])),
      picture(WIDTH, HEIGHT, grid, ...lineElements, ...cursor),
      h("span", { class: "x-start", "aria-hidden": "true" }, formatMoment(window[0])),
      h("span", { class: "x-end", "aria-hidden": "true" }, "now"),
    );
    const values = lines.map(({ name, values }) => {
      const value = values[index];
      return `${name} ${typeof value === "number" ? format(value) : "no live value"}`;
    }).join(", ");
    const moment = at === undefined ? "" : `${formatMoment(at)}: `;
    for (
      const [name, value] of Object.entries({
        "aria-valuemin": 0,
        "aria-valuemax": Math.max(0, times.length - 1),
        "aria-valuenow": Math.max(0, index),
        "aria-valuetext": `${moment}${values}. ${describe(lines, format, window)}`,
      })
    ) this.#plot.setAttribute(name, String(value));
    update(
      this.#legend,
      ...lines.map((line, place) => legendOf(line, { place, index, format })),
      at === undefined ? undefined : h("span", { class: "read-at" }, formatMoment(at)),
    );
  }

  #point(clientX: number): void {
    const box = this.#plot.querySelector("svg")?.getBoundingClientRect();
    if (!box || !this.#data || box.width === 0) return;
    const [from, to] = this.#data.window;
    this.#read(from + (clientX - box.left) / box.width * (to - from));
  }

  #step(event: KeyboardEvent): void {
    if (!this.#data) return;
    const { times } = this.#data;
    const last = times.length - 1;
    const now = this.#readAt === undefined ? last : nearest(times, this.#readAt);
    const next = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last }[event.key];
    if (event.key === "Escape") this.#read(undefined);
    if (next === undefined) return;
    event.preventDefault();
    this.#read(times[Math.min(last, Math.max(0, next))]);
  }

  #read(at: number | undefined): void {
    if (this.#readAt === at) return;
    this.#readAt = at;
    if (this.#data) this.#draw(this.#data);
  }
}

interface LegendOptions {
  readonly place: number;
  readonly index: number;
  readonly format: (value: number) => string;
}

function legendOf({ name, values }: Line, { place, index, format }: LegendOptions): HTMLElement {
  const value = values[index];
  return h(
    "span",
    { class: `key line-${place + 1}` },
    h("span", { class: "dash", "aria-hidden": "true" }),
    `${name} `,
    h("span", { class: "number" }, typeof value === "number" ? format(value) : "–"),
  );
}

function describe(
  lines: readonly Line[],
  format: (value: number) => string,
  [from, to]: Range,
): string {
  const sentences = lines.map(({ name, values }) => {
    const seen = values.filter((value) => value !== null);
    if (seen.length === 0) return `${name}: nothing yet`;
    return `${name}: ${format(Math.min(...seen))} to ${format(Math.max(...seen))}`;
  });
  return `In the last ${formatDuration((to - from) * 1000)}: ${sentences.join(". ")}`;
}
