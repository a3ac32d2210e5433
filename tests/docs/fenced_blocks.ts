/** A fenced block of a Markdown text. */
export interface FencedBlock {
  /** Its language, such as `sh`. */
  readonly language: string;
  readonly code: string;
  /** Line of its first line of code, from 1. */
  readonly line: number;
}

/** Every fenced block, in order. */
export function fencedBlocks(markdown: string): FencedBlock[] {
  const blocks: FencedBlock[] = [];
  for (const { index, 1: language = "", 2: code = "" } of markdown.matchAll(FENCE)) {
    const line = markdown.slice(0, index).split("\n").length + 1;
    blocks.push({ language, code, line });
  }
  return blocks;
}

const FENCE = /^```(\w*)[^\n]*\n([^]*?)^```$/gm;

/** A command as a reader would type it. */
export interface Command {
  readonly text: string;
  /** Where it stands, such as `README.md:23`. */
  readonly place: string;
}

/** The commands of all `sh` blocks of a document, one a line unless a backslash joins lines. */
export function commandsIn(document: string, markdown: string): Command[] {
  return fencedBlocks(markdown).filter(({ language }) => language === "sh").flatMap((block) => {
    const commands: Command[] = [];
    let text = "";
    block.code.split("\n").forEach((row, at) => {
      text += row.endsWith("\\") ? `${row.slice(0, -1).trim()} ` : row.trim();
      if (row.endsWith("\\")) return;
      if (text !== "" && !text.startsWith("#")) {
        commands.push({ text, place: `${document}:${block.line + at}` });
      }
      text = "";
    });
    return commands;
  });
}
