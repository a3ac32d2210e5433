import { type Figure, FIGURES, formatFigure } from "../figures.ts";
import type { Results } from "../results.ts";
import { ratioOf, rowsOf } from "../summary.ts";

/** A table of text: cells of a row in the order of the columns. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns from the left that hold words; those after them hold figures. */
  readonly words: number;
}

/** Figures that are also told as ratios, by the ones that tell most. */
const WITH_RATIOS: ReadonlySet<Figure> = new Set([
  "cpuPerDeliveryUs",
  "p99Ms",
  "rssPerConnectionKib",
  "cpuPerConnectionUs",
  "cpuPerReturnUs",
  "servedMs",
]);

const REFERENCES = ["control", "floor"] as const;

const NOTHING = "–";

/** All peers at one case: each figure's median, and its ratios to control and floor. */
export function caseTable(results: Results, id: string): Table {
  const { samples, cases, peers } = results;
  const rows = rowsOf(samples, id);
  const figures = (Object.keys(FIGURES) as Figure[])
    .filter((figure) => rows.some((row) => row.figures[figure] !== undefined));
  // In the order of the list, not that of whose turn came first.
  const inOrder = peers.flatMap(({ name, label }) =>
    rows.filter(({ peer }) => peer === name).map((row) => ({ ...row, label }))
  );
  const references = REFERENCES.filter((name) => rows.some(({ peer }) => peer === name));
  const ratiosOf = (figure: Figure) => WITH_RATIOS.has(figure) ? references : [];
  return {
    title: cases.find((each) => each.id === id)?.title ?? id,
    words: 1,
    columns: [
      "",
      ...figures.flatMap((figure) => [
        FIGURES[figure].title,
        ...ratiosOf(figure).map((name) => `: ${name}`),
      ]),
      "runs",
    ],
    rows: inOrder.map(({ label, peer, runs, failures, figures: own }) => [
      label,
      ...figures.flatMap((figure) => [
        own[figure] === undefined ? NOTHING : formatFigure(figure, own[figure]),
        ...ratiosOf(figure).map((name) =>
          ratioOf(samples, { case: id, figure, peer, against: [name] })?.toFixed(2) ?? NOTHING
        ),
      ]),
      failures.length === 0 ? String(runs) : `${runs}, ${failures.length} FAILED`,
    ]),
  };
}

/** Why runs of a case failed, in words; each reason once. */
export function failuresOf({ samples, peers }: Results, id: string): string[] {
  return rowsOf(samples, id).flatMap(({ peer, failures }) => {
    const label = peers.find(({ name }) => name === peer)?.label ?? peer;
    return [...new Set(failures)].map((why) => `${label}: ${why}`);
  });
}
