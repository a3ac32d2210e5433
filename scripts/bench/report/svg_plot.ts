import { formatFigure } from "../figures.ts";
import type { Results } from "../results.ts";
import { ratioOf, rowsOf } from "../summary.ts";
import type { Plot } from "./plots.ts";

/** Measures of the drawing, in its own units. */
const WIDTH = 720;
const MARGIN = 16;
const LABELS = 140;
/** Room at the right for figures. */
const FIGURES = 190;
const BAR = 16;
const ROW = 22;
const HEAD = 44;
const PANEL_HEAD = 30;
const PANEL_GAP = 14;

const BARS = WIDTH - 2 * MARGIN - LABELS - FIGURES;

/** Colours of its own: it is shown as a picture, to which no page's style reaches. */
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #171c24 }
  .title { font-size: 15px; font-weight: 600 }
  .panel { font-weight: 600 }
  .page { fill: #ffffff }
  .own { fill: #255fb5 }
  .other { fill: #9aa6b5 }
  .reference { fill: #c98a2b }
  .muted { fill: #56606f }
  @media (prefers-color-scheme: dark) {
    text { fill: #e4e9f0 }
    .page { fill: #0e1217 }
    .own { fill: #7fb0f5 }
    .other { fill: #56606f }
    .reference { fill: #c98a2b }
    .muted { fill: #9aa6b5 }
  }`;

/**
 * Draws a figure as bars, a panel for each case. Beside each bar stand the value and how many times
 * the control's it is.
 *
 * @returns An SVG document, or `undefined` if no case has the figure.
 */
export function svgPlot(results: Results, plot: Plot): string | undefined {
  const panels = results.cases
    .filter(({ id }) => plot.cases.some((beginning) => id.startsWith(beginning)))
    .map(({ id, title }) => ({ title, bars: barsOf(results, id, plot) }))
    .filter(({ bars }) => bars.length > 0);
  if (panels.length === 0) return undefined;
  let y = HEAD;
  const drawn = panels.map(({ title, bars }) => {
    const panel = drawPanel(title, bars, y);
    y += PANEL_HEAD + bars.length * ROW + PANEL_GAP;
    return panel;
  });
  return `${
    [
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" role="img" ` +
      `aria-label="${escape(plot.title)}">`,
      `<style>${STYLE}\n</style>`,
      `<rect class="page" width="${WIDTH}" height="${y}"/>`,
      text(MARGIN, 26, { class: "title", content: `${plot.title} (less is better)` }),
      ...drawn,
      "</svg>",
    ].join("\n")
  }\n`;
}

interface Bar {
  readonly label: string;
  readonly kind: "own" | "other" | "reference";
  readonly value: number;
  readonly note: string;
}

function barsOf({ samples, peers }: Results, id: string, { figure }: Plot): Bar[] {
  const rows = rowsOf(samples, id);
  return peers.flatMap(({ name, label }) => {
    const value = rows.find(({ peer }) => peer === name)?.figures[figure];
    if (value === undefined) return [];
    const ratio = ratioOf(samples, { case: id, figure, peer: name, against: ["control"] });
    const note = formatFigure(figure, value) +
      (ratio === undefined || name === "control" ? "" : `  (${ratio.toFixed(2)} of control)`);
    return [{ label, kind: kindOf(name), value, note }];
  });
}

function kindOf(peer: string): Bar["kind"] {
  if (peer.startsWith("holdfast")) return "own";
  return peer === "control" || peer === "floor" ? "reference" : "other";
}

function drawPanel(title: string, bars: readonly Bar[], top: number): string {
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  const rows = bars.map(({ label, kind, value, note }, index) => {
    const y = top + PANEL_HEAD + index * ROW;
    const x = MARGIN + LABELS;
    const width = round(Math.max(0, value) / most * BARS);
    return [
      text(MARGIN, y + 12, { content: label }),
      `<rect class="${kind}" x="${x}" y="${y}" width="${width}" height="${BAR}" rx="2"/>`,
      text(x + width + 6, y + 12, { class: "muted", content: note }),
    ].join("");
  });
  return [text(MARGIN, top + 18, { class: "panel", content: title }), ...rows].join("\n");
}

function text(x: number, y: number, options: { content: string; class?: string }): string {
  const { content, class: name } = options;
  return `<text x="${round(x)}" y="${y}"${name === undefined ? "" : ` class="${name}"`}>${
    escape(content)
  }</text>`;
}

/** Tenths of a unit are finer than any screen. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
