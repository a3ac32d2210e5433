import { allOf, type Described, type Flag } from "./describe.ts";

/** Completion for bash: words by the command that stands before, else files. */
export function bashCompletion(program: Described): string {
  return `# bash completion for holdfast, made from its help
_holdfast() {
  local current=\${COMP_WORDS[COMP_CWORD]} line="\${COMP_WORDS[*]:1:COMP_CWORD-1}" words=
  case "$line" in
${commandsFirst(program).map(bashCase).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [ \${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$current")); fi
}
complete -o filenames -F _holdfast holdfast
`;
}

function bashCase(command: Described): string {
  const pattern = command.words.length === 0 ? '""' : `"${command.words.join(" ")}"*`;
  return `    ${pattern}) words="${wordsAfter(command).join(" ")}" ;;`;
}

/** Completion for zsh. */
export function zshCompletion(program: Described): string {
  return `#compdef holdfast
# zsh completion for holdfast, made from its help
local line="\${words[2,CURRENT-1]}"
local -a choices
case "$line" in
${commandsFirst(program).map(zshCase).join("\n")}
esac
_describe 'holdfast' choices || _files
`;
}

function zshCase(command: Described): string {
  const pattern = command.words.length === 0 ? "''" : `'${command.words.join(" ")}'*`;
  const described = [
    ...command.subcommands.map(({ words, description }) => [words.at(-1) ?? "", description]),
    ...command.flags.map(({ long, description }) => [long, description]),
  ].map(([word = "", description = ""]) => quoted(`${word}:${description}`));
  return `  ${pattern}) choices=(${described.join(" ")}) ;;`;
}

/** Completion for fish. */
export function fishCompletion(program: Described): string {
  const lines = commandsFirst(program).flatMap((command) => {
    const condition = command.words.length === 0
      ? "__fish_use_subcommand"
      : command.words.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ");
    const names = command.subcommands.map(({ words }) => words.at(-1) ?? "");
    const notYet = command.words.length === 0
      ? condition
      : `${condition}; and not __fish_seen_subcommand_from ${names.join(" ")}`;
    const subcommands = command.subcommands.map(({ words, description }) =>
      `complete -c holdfast -n '${notYet}' -f -a ${words.at(-1)} -d ${quoted(description)}`
    );
    return [...subcommands, ...command.flags.map((flag) => fishFlag(condition, flag))];
  });
  return `# fish completion for holdfast, made from its help\n${lines.join("\n")}\n`;
}

function fishFlag(condition: string, { long, takesValue, description }: Flag): string {
  const name = long.replace(/^--/, "");
  const value = takesValue ? " -r" : "";
  return `complete -c holdfast -n '${condition}' -l ${name}${value} -d ${quoted(description)}`;
}

/** The longest commands first, as the first pattern that fits counts. */
function commandsFirst(program: Described): Described[] {
  return allOf(program).toSorted((a, b) => b.words.length - a.words.length);
}

function wordsAfter({ subcommands, flags }: Described): string[] {
  return [...subcommands.map(({ words }) => words.at(-1) ?? ""), ...flags.map(({ long }) => long)];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
