import type { CommandUnknownOpts } from "commander";
import { commandLine } from "../../src/cli/program.ts";

/** A command as its help has it. */
export interface Described {
  /** Words behind `holdfast`; none for the program itself. */
  readonly words: readonly string[];
  readonly description: string;
  readonly operands: string;
  readonly flags: readonly Flag[];
  readonly subcommands: readonly Described[];
}

export interface Flag {
  /** As in the help: `-c, --config <file>`. */
  readonly usage: string;
  readonly long: string;
  readonly takesValue: boolean;
  readonly description: string;
}

/** Every command of the program, from what its help is made of. */
export function describeProgram(): Described {
  const nowhere = { out() {}, err() {}, env: {} };
  return describe(commandLine(nowhere, () => {}), []);
}

function describe(command: CommandUnknownOpts, words: readonly string[]): Described {
  const operands = command.registeredArguments.map((each) => {
    const name = each.name();
    return each.required ? `<${name}>` : `[${name}]`;
  });
  return {
    words,
    description: command.description(),
    operands: operands.join(" "),
    flags: command.options.map(({ flags, long, required, optional, description }) => ({
      usage: flags,
      long: long ?? flags,
      takesValue: required || optional,
      description,
    })),
    subcommands: command.commands.map((each) => describe(each, [...words, each.name()])),
  };
}

/** A command and all below it. */
export function allOf(described: Described): Described[] {
  return [described, ...described.subcommands.flatMap(allOf)];
}
