import stringWidth from "string-width";
import { goalsReached } from "../goals.ts";
import type { Results } from "../results.ts";
import { caseTable, failuresOf, type Table } from "./case_table.ts";
import { overviewTable } from "./overview_table.ts";

/** Everything as text for a terminal. */
export function textReport(results: Results): string {
  const parts = results.cases.map(({ id }) => {
    const table = caseTable(results, id);
    const failures = failuresOf(results, id).map((why) => `  FAILED ${why}`);
    return [table.title, ...textTable(table), ...failures].join("\n");
  });
  const absent = results.absent.map(({ name, why }) => `absent: ${name}: ${why}`);
  const table = overviewTable(results, (cell) => `*${cell}`);
  const overview = table === undefined ? [] : [[table.title, ...textTable(table)].join("\n")];
  return [...overview, ...parts, textGoals(results), ...absent].join("\n\n");
}

/** Lines of a table: words to the left, figures to the right. */
export function textTable({ columns, rows, words }: Table): string[] {
  const all = [columns, ...rows];
  const widths = columns.map((_, at) => Math.max(...all.map((row) => stringWidth(row[at] ?? ""))));
  return all.map((row) =>
    row.map((cell, at) => {
      const space = " ".repeat((widths[at] ?? 0) - stringWidth(cell));
      return at < words ? `${cell}${space}` : `${space}${cell}`;
    }).join("  ").trimEnd()
  );
}

function textGoals({ samples }: Results): string {
  const rows = goalsReached(samples)
    .filter(({ found }) => found !== undefined)
    .map(({ text, found = "", atMost, isReached }) => [
      text,
      found,
      `at most ${atMost}`,
      isReached ? "reached" : "NOT reached",
    ]);
  if (rows.length === 0) return "";
  const columns = ["goal", "found", "wanted", ""];
  return textTable({ title: "", columns, rows, words: columns.length }).join("\n");
}
