import { CASES, type Outcome } from "./cases.ts";

const DOCUMENT = new URL("../../docs/conformance.md", import.meta.url);
const BEGIN = "<!-- rfc 6455 cases: begin -->";
const END = "<!-- rfc 6455 cases: end -->";

/** The table of the documents, as the cases have it. */
export function caseTable(): string {
  const rows = CASES.map((each) =>
    `| ${each.section || "hub"} | ${each.name} | ${answersOf(each)} | ${endOf(each)} |`
  );
  return ["| section | the client sends | it gets | and then |", "| - | - | - | - |", ...rows]
    .join("\n");
}

/** The table as the document has it now, without the padding of its columns. */
export async function documentedTable(): Promise<string> {
  const document = await Deno.readTextFile(DOCUMENT);
  const table = document.slice(document.indexOf(BEGIN) + BEGIN.length, document.indexOf(END));
  return table.trim().split("\n").map((row) => row.replace(/ {2,}/g, " ").replace(/-+/g, dashes))
    .join("\n");
}

/** Puts the table into the document. */
export async function writeTable(): Promise<void> {
  const document = await Deno.readTextFile(DOCUMENT);
  const head = document.slice(0, document.indexOf(BEGIN) + BEGIN.length);
  const tail = document.slice(document.indexOf(END));
  await Deno.writeTextFile(DOCUMENT, `${head}\n\n${caseTable()}\n\n${tail}`);
}

/** The rule under a table's head is as long as its column is wide. */
function dashes(run: string): string {
  return run.length > 2 ? "-" : run;
}

function answersOf({ answers }: Outcome): string {
  const [only] = answers;
  if (only === undefined) return "nothing";
  if (answers.length > 2) return `${answers.length} × \`${only}\``;
  return answers.map((answer) => answer === "[pong]" ? "a pong frame" : `\`${answer}\``).join(", ");
}

function endOf({ close }: Outcome): string {
  if (close === undefined) return "stays";
  if (close === "none") return "cut off without a close frame";
  return close === 1005 ? "close, also without a code" : `close ${close}`;
}

if (import.meta.main) await writeTable();
