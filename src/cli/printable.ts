import stringWidth from "string-width";
import { escapeControls } from "../telemetry/escape_controls.ts";

/** Text that is safe to show on a terminal, on one line; what is not even text is shown as one. */
export function printable(text: unknown): string {
  return escapeControls(String(text));
}

/** How many cells a text takes on a terminal. */
export function cells(text: string): number {
  return stringWidth(text);
}

/** Cuts a text to so many cells, with an ellipsis where something was cut off. */
export function fit(text: string, width: number): string {
  if (width <= 0) return "";
  // Far longer than any width can show: there is no need to measure all of a large value.
  const head = text.length > width * 8 ? text.slice(0, width * 8) : text;
  if (head === text && cells(text) <= width) return text;
  let kept = "";
  let used = 0;
  for (const { segment } of new Intl.Segmenter().segment(head)) {
    const more = cells(segment);
    if (used + more > width - 1) break;
    kept += segment;
    used += more;
  }
  return `${kept}…`;
}

/** Fills a text up to so many cells, or cuts it. */
export function column(text: string, width: number): string {
  const shown = fit(text, width);
  return shown + " ".repeat(Math.max(0, width - cells(shown)));
}
