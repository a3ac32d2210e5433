/// <reference lib="dom" />
import { type Child, h } from "../elements.ts";
import type { Meter, Part, TableView, View } from "./view.ts";

/** Makes a view's elements. */
export function paint(view: View): HTMLElement {
  switch (view.kind) {
    case "text":
      return h("span", { class: view.isMuted ? "muted" : undefined }, view.text);
    case "bar":
      return h(
        "span",
        { class: "bar-cell" },
        bar(view.ratio),
        h("span", { class: "number" }, view.text),
      );
    case "fields":
      return h(
        "dl",
        { class: "fields" },
        ...view.fields.map(({ label, view }) =>
          h("div", {}, h("dt", {}, label), h("dd", {}, paint(view)))
        ),
      );
    case "meters":
      return h("ul", { class: "meters" }, ...view.meters.map(paintMeter));
    case "tiles":
      return h(
        "dl",
        { class: "tiles" },
        ...view.tiles.map(({ label, text }) => h("div", {}, h("dt", {}, label), h("dd", {}, text))),
      );
    case "table":
      return paintTable(view);
    case "stack":
      return h("div", { class: "stack" }, ...view.parts.map(paintPart));
  }
}

/** From here on a meter is drawn in the colour of trouble. */
const NEARLY_FULL = 0.9;

/** A bar; its number always stands beside it, so it says nothing to those who listen. */
function bar(ratio: number, kind = "bar"): Element {
  const svg = (tag: string, attributes: Record<string, string | number>) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) {
      element.setAttribute(name, String(value));
    }
    return element;
  };
  const box = svg("svg", {
    class: kind,
    viewBox: "0 0 100 8",
    preserveAspectRatio: "none",
    "aria-hidden": "true",
    focusable: "false",
  });
  // Attributes, where a style of each width would need the policy to allow inline styles.
  box.append(
    svg("rect", { class: "track", width: 100, height: 8 }),
    svg("rect", { class: "fill", width: (ratio * 100).toFixed(1), height: 8 }),
  );
  return box;
}

function paintMeter({ label, ratio, text, note }: Meter): HTMLElement {
  return h(
    "li",
    {},
    h("span", { class: "meter-name" }, label),
    h("span", { class: "number" }, text),
    bar(ratio, ratio >= NEARLY_FULL ? "bar full" : "bar"),
    note === undefined ? undefined : h("span", { class: "muted meter-note" }, note),
  );
}

function paintTable({ title, columns, rows, cutRows }: TableView): HTMLElement {
  const head = h(
    "tr",
    {},
    ...columns.map(({ label, isNumber }) =>
      h("th", { scope: "col", class: isNumber ? "right" : undefined }, label)
    ),
  );
  const body = rows.map((row) =>
    h(
      "tr",
      {},
      ...row.map((cell, index) =>
        h("td", { class: columns[index]?.isNumber ? "right" : undefined }, paint(cell))
      ),
    )
  );
  const table = h(
    "table",
    {},
    h("caption", { class: "spoken" }, title),
    h("thead", {}, head),
    h("tbody", {}, ...body),
  );
  const note = cutRows > 0
    ? h("p", { class: "muted remark" }, `${rows.length} rows shown, ${cutRows} more left out`)
    : undefined;
  // It may be wider or longer than its card, so it scrolls, by the keyboard too.
  const scroller = h(
    "div",
    { class: "scroller", tabindex: 0, role: "group", "aria-label": title },
    table,
  );
  return h("div", {}, scroller, note);
}

function paintPart({ title, view, isFolded }: Part): HTMLElement {
  const content: Child = paint(view);
  if (isFolded) return h("details", {}, h("summary", {}, title ?? "More"), content);
  if (title === undefined) return h("div", {}, content);
  return h("div", {}, h("h4", {}, title), content);
}

/** A mark and a word: never only a colour. */
export function badge(tone: string, mark: string, word: string): HTMLElement {
  return h(
    "span",
    { class: `badge ${tone}` },
    h("span", { "aria-hidden": "true" }, mark),
    ` ${word}`,
  );
}
