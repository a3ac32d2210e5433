import type { Results } from "../results.ts";
import { runProgram } from "../run_program.ts";
import { markdownReport } from "./markdown_report.ts";
import { PLOTS } from "./plots.ts";
import { svgPlot } from "./svg_plot.ts";

const RESULTS = "results.json";
const README = "README.md";

const CONFIG = new URL("../../../deno.json", import.meta.url).pathname;

/** What is between these is written anew, the rest of the file is left as it is. */
const BEGIN = "<!-- results: written by deno task bench -->";
const END = "<!-- /results -->";

/** Digits that a figure keeps: more would be noise. */
const SIGNIFICANT_DIGITS = 5;

/** Writes the raw results, the tables and the pictures into a folder; tells the files written. */
export async function writeReport(results: Results, folder: string): Promise<string[]> {
  await Deno.mkdir(folder, { recursive: true });
  const raw = `${folder}/${RESULTS}`;
  const readme = `${folder}/${README}`;
  await Deno.writeTextFile(raw, JSON.stringify(results, rounded, 2));
  await Deno.writeTextFile(readme, withResults(await existing(readme), markdownReport(results)));
  const written = [raw, readme];
  for (const plot of PLOTS) {
    const svg = svgPlot(results, plot);
    if (svg === undefined) continue;
    await Deno.writeTextFile(`${folder}/${plot.file}`, svg);
    written.push(`${folder}/${plot.file}`);
  }
  // They are committed, so they have to look as everything else does.
  await runProgram([Deno.execPath(), "fmt", "--quiet", "--config", CONFIG, raw, readme]);
  return written;
}

function rounded(_name: string, value: unknown): unknown {
  if (typeof value !== "number" || Number.isInteger(value)) return value;
  return Number(value.toPrecision(SIGNIFICANT_DIGITS));
}

async function existing(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return `# Performance\n\n${BEGIN}\n${END}\n`;
  }
}

/**
 * Puts the results between the markers of a document.
 *
 * @throws {Error} If the markers are not there, each once and in order.
 */
export function withResults(document: string, results: string): string {
  const [before = "", rest, ...more] = document.split(BEGIN);
  const [, after, ...evenMore] = rest?.split(END) ?? [];
  if (after === undefined || more.length + evenMore.length > 0) {
    throw new Error(`the document must have "${BEGIN}" and then "${END}", each once`);
  }
  return `${before}${BEGIN}\n\n${results}\n\n${END}${after}`;
}
