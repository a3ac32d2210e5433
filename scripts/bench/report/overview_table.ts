import { type Figure, formatFigure } from "../figures.ts";
import type { Results } from "../results.ts";
import { rowsOf } from "../summary.ts";
import type { Table } from "./case_table.ts";

/** A column: one figure of one workload, of which less is better. */
interface Column {
  readonly title: string;
  /** The case, by the beginning of its name; of several that were measured, the first. */
  readonly cases: readonly string[];
  readonly figure: Figure;
}

/** What a reader asks first. */
const COLUMNS: readonly Column[] = [
  { title: "tick, CPU", cases: ["tick/5000", "tick/"], figure: "cpuPerDeliveryUs" },
  { title: "tick, p99", cases: ["tick/5000", "tick/"], figure: "p99Ms" },
  { title: "firehose, CPU", cases: ["firehose/"], figure: "cpuPerDeliveryUs" },
  { title: "firehose, p99", cases: ["firehose/"], figure: "p99Ms" },
  { title: "four sources, CPU", cases: ["four_sources/"], figure: "cpuPerDeliveryUs" },
  { title: "idle, memory", cases: ["idle/"], figure: "rssPerConnectionKib" },
  { title: "come and go, CPU", cases: ["churn/"], figure: "cpuPerConnectionUs" },
];

/** Limits to compare with, which nobody would run: they are never the best. */
const REFERENCES: ReadonlySet<string> = new Set(["control", "floor"]);

const NOTHING = "–";

/** What the columns mean, in a line. */
export const OVERVIEW_NOTE =
  'CPU for one delivered message (of "come and go": for one connection), p99 until the last ' +
  "client has a message, memory of one idle connection. Less is better; the best of each column " +
  "is marked, bare Deno and the floor left aside: they are limits, not servers to run.";

/**
 * All peers at a glance: the medians that tell most, the best of each column marked.
 *
 * @param mark How the best is marked.
 * @returns `undefined` if nothing of it was measured.
 */
export function overviewTable(
  { samples, cases, peers }: Results,
  mark: (cell: string) => string,
): Table | undefined {
  const columns = COLUMNS.flatMap(({ title, cases: wanted, figure }) => {
    const id = wanted.flatMap((beginning) => cases.filter(({ id }) => id.startsWith(beginning)))
      .find(({ id }) => rowsOf(samples, id).some(({ figures }) => figures[figure] !== undefined))
      ?.id;
    if (id === undefined) return [];
    const values = new Map(rowsOf(samples, id).map((row) => [row.peer, row.figures[figure]]));
    return [{ title, figure, values, best: bestOf(values) }];
  });
  if (columns.length === 0) return undefined;
  const rows = peers
    .filter(({ name }) => columns.some(({ values }) => values.get(name) !== undefined))
    .map(({ name, label }) => [
      label,
      ...columns.map(({ figure, values, best }) => {
        const value = values.get(name);
        if (value === undefined) return NOTHING;
        const cell = formatFigure(figure, value);
        return value === best && !REFERENCES.has(name) ? mark(cell) : cell;
      }),
    ]);
  return {
    title: "At a glance",
    words: 1,
    columns: ["", ...columns.map(({ title }) => title)],
    rows,
  };
}

function bestOf(values: ReadonlyMap<string, number | undefined>): number {
  const own = [...values].filter(([peer]) => !REFERENCES.has(peer));
  return Math.min(...own.flatMap(([, value]) => value ?? []));
}
