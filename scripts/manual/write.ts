import { bashCompletion, fishCompletion, zshCompletion } from "./completions.ts";
import { describeProgram } from "./describe.ts";
import { manPage } from "./man_page.ts";

/** Manual and completions, by where Debian has them below `/usr/share`. */
export function manualFiles(version: string): Record<string, string> {
  const program = describeProgram();
  return {
    "man/man1/holdfast.1": manPage(program, version),
    "bash-completion/completions/holdfast": bashCompletion(program),
    "zsh/vendor-completions/_holdfast": zshCompletion(program),
    "fish/vendor_completions.d/holdfast.fish": fishCompletion(program),
  };
}
