/// <reference lib="dom" />
import { h } from "../elements.ts";
import { Chart } from "./chart.ts";
import { timesOf } from "./axis.ts";
import type { ChartHistory } from "./history.ts";

/** The charts of one channel: the most telling numbers in sight, the others on demand. */
export class ChannelCharts {
  readonly element: HTMLElement = h("div", { class: "charts", hidden: true });
  readonly #charts = new Map<string, Chart>();
  readonly #more = h("details", {}, h("summary", {}, "More numbers over time"));
  readonly #title: () => string;

  constructor(title: () => string) {
    this.#title = title;
  }

  /** @param unixSeconds Now, where the time axis ends. */
  show(history: ChartHistory, unixSeconds: number): void {
    const { times, groups, windowSeconds } = history;
    this.element.hidden = times.length < 2 || groups.length === 0;
    if (this.element.hidden) return;
    const window = timesOf(times, windowSeconds, unixSeconds);
    const elements = groups.map((group) => {
      let chart = this.#charts.get(group.unit);
      if (chart === undefined) {
        chart = new Chart(this.#title());
        this.#charts.set(group.unit, chart);
      }
      chart.show({ times, group, window });
      return chart.element;
    });
    for (const unit of [...this.#charts.keys()]) {
      if (!groups.some((group) => group.unit === unit)) this.#charts.delete(unit);
    }
    const [first, ...others] = elements;
    const summary = this.#more.firstElementChild;
    arrange(this.#more, [...(summary ? [summary] : []), ...others]);
    arrange(this.element, [...(first ? [first] : []), ...(others.length > 0 ? [this.#more] : [])]);
  }
}

/** Puts elements where they are to be; where they are already, focus stays. */
function arrange(parent: Element, children: readonly Element[]): void {
  const isSo = parent.children.length === children.length &&
    children.every((child, index) => parent.children[index] === child);
  if (!isSo) parent.replaceChildren(...children);
}
