/// <reference lib="dom" />
// @ts-types="@types/d3-shape"
import { area, line } from "d3-shape";
import type { Range } from "./axis.ts";
import type { Line } from "./history.ts";

export interface DrawingOptions {
  width: number;
  height: number;
  times: readonly number[];
  lines: readonly Line[];
  /** Of time, in unix seconds, and of values. */
  x: Range;
  y: Range;
}

/** Room above and below, so that a line at the edge keeps its full width. */
const EDGE = 2;

/** Makes an element of a drawing. */
export function svg(
  tag: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: Element[]
): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, `${value}`);
  element.append(...children);
  return element;
}

/** A drawing that is stretched to the width there is; it says nothing to those who listen. */
export function picture(
  width: number,
  height: number,
  ...children: Element[]
): SVGElement {
  return svg("svg", {
    viewBox: `0 0 ${width} ${height}`,
    preserveAspectRatio: "none",
    "aria-hidden": "true",
    focusable: "false",
  }, ...children);
}

/** The lines; where there was no live value, they break. */
export function draw({ width, height, times, lines, x, y }: DrawingOptions): SVGElement[] {
  const placeX = (index: number) => tenth(((times[index] ?? 0) - x[0]) / (x[1] - x[0]) * width);
  const placeY = (value: number | null) =>
    tenth(height - EDGE - ((value ?? 0) - y[0]) / (y[1] - y[0]) * (height - 2 * EDGE));
  const stroke = line<number | null>()
    .defined((value) => value !== null)
    .x((_value, index) => placeX(index))
    .y(placeY);
  const wash = area<number | null>()
    .defined((value) => value !== null)
    .x((_value, index) => placeX(index))
    .y0(height - EDGE)
    .y1(placeY);
  return lines.flatMap(({ values }, index) => [
    ...(index === 0 ? [svg("path", { class: "wash", d: wash([...values]) ?? "" })] : []),
    svg("path", { class: `line line-${index + 1}`, d: stroke([...values]) ?? "" }),
  ]);
}

/** Tenths of a unit are finer than any screen. */
function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
