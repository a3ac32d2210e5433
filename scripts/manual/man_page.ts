import { allOf, type Described, type Flag } from "./describe.ts";

/** The manual's page in section 1, as man(7) has it. */
export function manPage(program: Described, version: string): string {
  const commands = allOf(program).filter(({ words, subcommands }) =>
    words.length > 0 && subcommands.length === 0
  );
  return [
    `.TH HOLDFAST 1 "" "holdfast ${version}" "User Commands"`,
    ".SH NAME",
    "holdfast \\- hub that polls backends and tells every client the truth",
    ".SH SYNOPSIS",
    ".B holdfast",
    ".I command",
    "[options]",
    ".SH DESCRIPTION",
    text(program.description),
    ".SH COMMANDS",
    ...commands.flatMap(section),
    ".SH EXIT STATUS",
    "0 after a clean stop, 1 after a failure at run time, 2 after bad usage or bad configuration.",
    ".SH ENVIRONMENT",
    "HOLDFAST_CONFIG, HOLDFAST_LISTEN, HOLDFAST_STATE, HOLDFAST_LOG_LEVEL, HOLDFAST_LOG_FORMAT and",
    "HOLDFAST_TOKEN stand for the flags of these names; a flag wins.",
    "",
  ].join("\n");
}

function section({ words, operands, description, flags }: Described): string[] {
  const usage = [`holdfast ${words.join(" ")}`, operands].filter(Boolean).join(" ");
  return [`.SS ${text(usage)}`, text(`${capital(description)}.`), ...flags.flatMap(item)];
}

function item({ usage, description }: Flag): string[] {
  return [".TP", `.B ${text(usage)}`, text(description)];
}

function capital(sentence: string): string {
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1);
}

/** Escapes what roff would take for its own. */
function text(words: string): string {
  return words.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^(?=[.'])/, "\\&");
}
