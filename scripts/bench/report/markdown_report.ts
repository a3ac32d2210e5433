import { goalsReached } from "../goals.ts";
import { NOT_MEASURED } from "../peers.ts";
import type { Results } from "../results.ts";
import { caseTable, failuresOf, type Table } from "./case_table.ts";
import { OVERVIEW_NOTE, overviewTable } from "./overview_table.ts";
import { PLOTS } from "./plots.ts";

/** Everything as Markdown, from a heading of the second level on. */
export function markdownReport(results: Results): string {
  return [
    ...overview(results),
    "## Machine and versions",
    machineText(results),
    "## Goals",
    markdownTable(goalTable(results)),
    "## Workloads",
    ...PLOTS.map(({ file, title }) => `![${title}](${file})`),
    ...results.cases.flatMap(({ id }) => caseText(results, id)),
  ].join("\n\n");
}

/** What a reader grasps in ten seconds. */
function overview(results: Results): string[] {
  const table = overviewTable(results, (cell) => `**${cell}**`);
  if (table === undefined) return [];
  return [`## ${table.title}`, markdownTable(table), OVERVIEW_NOTE];
}

function machineText({ date, machine, rounds, pinned, peers, absent }: Results): string {
  const { cpu, cores, memoryGib, kernel } = machine;
  const lines = [
    `${date}: ${cpu}, ${cores} cores, ${memoryGib} GiB, ${kernel}; medians of ${rounds} rounds; ` +
    (pinned
      ? "server and load client tied to a core each."
      : "server and load client not tied to cores."),
    markdownTable({
      title: "",
      words: 2,
      columns: ["peer", "version"],
      rows: [
        ...peers.map(({ label, version }) => [label, version]),
        ...absent.map(({ name, why }) => [name, `absent: ${why}`]),
        ...NOT_MEASURED.map(({ name, why }) => [name, `not measured: ${why}`]),
      ],
    }),
  ];
  return lines.join("\n\n");
}

function goalTable({ samples }: Results): Table {
  return {
    title: "",
    words: 1,
    columns: ["goal", "at most", "found", ""],
    rows: goalsReached(samples).map(({ text, atMost, found, isReached }) => [
      text,
      atMost,
      found ?? "not measured",
      found === undefined ? "" : isReached ? "reached" : "**not reached**",
    ]),
  };
}

function caseText(results: Results, id: string): string[] {
  const table = caseTable(results, id);
  const failures = failuresOf(results, id).map((why) => `- failed: ${why}`);
  return [
    `### ${table.title}`,
    markdownTable(table),
    ...(failures.length === 0 ? [] : [failures.join("\n")]),
  ];
}

function markdownTable({ columns, rows, words }: Table): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  const rule = columns.map((_, at) => at < words ? "---" : "---:");
  return [line(columns), line(rule), ...rows.map(line)].join("\n");
}
