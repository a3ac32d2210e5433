import { allOf, describeProgram } from "../../scripts/manual/describe.ts";
import { manualFiles } from "../../scripts/manual/write.ts";
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { hasProgram } from "../docs/programs.ts";
import { within } from "../support/until.ts";
import { Folder } from "./folder.ts";

const FILES = manualFiles("1.2.3");
const commands = allOf(describeProgram()).filter(({ words }) => words.length > 0);

Deno.test("the man page has every command and every flag of the help", () => {
  const page = (FILES["man/man1/holdfast.1"] ?? "").replaceAll("\\-", "-");
  assert(commands.length > 10, String(commands.length));
  for (const { words, flags, subcommands } of commands) {
    if (subcommands.length === 0) assertStringIncludes(page, `holdfast ${words.join(" ")}`);
    for (const { usage } of flags) assertStringIncludes(page, usage);
  }
});

Deno.test({
  name: "bash completes commands, their flags, and commands below commands",
  ignore: !hasProgram("bash", "bash"),
  fn: async () => {
    await using folder = await Folder.make();
    const file = `${folder.path}/holdfast`;
    await Deno.writeTextFile(file, FILES["bash-completion/completions/holdfast"] ?? "");
    const completed = async (...words: string[]) => {
      const script = `. "${file}"; COMP_WORDS=(holdfast ${
        words.map((each) => `'${each}'`).join(" ")
      });
        COMP_CWORD=${words.length}; _holdfast; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { success, stdout, stderr } = await new Deno.Command("bash", {
        args: ["--norc", "-euc", script],
        cwd: folder.path,
      }).output();
      assert(success, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stdout).trim().split("\n");
    };
    assertEquals(await completed("pro"), ["probe"]);
    assertEquals(await completed("config", ""), ["check", "schema", "example"]);
    assertEquals(await completed("watch", "http://x", "--ch"), ["--channels"]);
    assertEquals(await completed("config", "check", "--ag"), ["--against"]);
  },
});

/** Runs a shell's script to its end; a shell that waits for a key would wait for ever. */
async function outputOf(program: string, args: readonly string[], cwd: string): Promise<string> {
  const child = new Deno.Command(program, {
    args: [...args],
    cwd,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  try {
    const { success, stdout, stderr } = await within(output, {
      timeoutMs: 60_000,
      explain: () => `${program} did not end`,
    });
    assert(success, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout);
  } catch (error) {
    child.kill("SIGKILL");
    await output;
    throw error;
  }
}

Deno.test({
  name: "fish completes commands, their flags, and commands below commands, with what each is for",
  ignore: !hasProgram("fish", "fish"),
  fn: async () => {
    await using folder = await Folder.make();
    const text = FILES["fish/vendor_completions.d/holdfast.fish"] ?? "";
    await Deno.writeTextFile(`${folder.path}/holdfast.fish`, text);
    const completed = async (line: string) => {
      const script = `source holdfast.fish; complete -C '${line}'`;
      const lines = await outputOf("fish", ["--no-config", "-c", script], folder.path);
      return lines.trim().split("\n").map((each) => each.split("\t"));
    };
    const [[name, description] = []] = await completed("holdfast pro");
    assertEquals(name, "probe");
    assertStringIncludes(description ?? "", "check a live hub");
    const names = async (line: string) => (await completed(line)).map(([word]) => word);
    assertEquals(await names("holdfast config "), ["check", "example", "schema"]);
    assertEquals(await names("holdfast watch http://x --ch"), ["--channels"]);
    assertEquals(await names("holdfast config check --ag"), ["--against"]);
    assertEquals(
      await names("holdfast config check h"),
      ["holdfast.fish"],
      "a file comes after it",
    );
  },
});

/** What a line of zsh becomes when it is completed at its end: a shell of its own, on a terminal. */
const ZSH_COMPLETES = `
zmodload zsh/zpty
zpty -b shell zsh -f -i
zpty -w shell 'fpath=($PWD $fpath); autoload -U compinit; compinit -u -D; setopt menu_complete'
zpty -w shell 'tell() { zle complete-word; print -r -- "$BUFFER" > part; mv part told; zle kill-whole-line }'
zpty -w shell 'zle -N tell; bindkey "^X" tell; print > ready'
for i in {1..600}; do [[ -e ready ]] && break; sleep 0.05; done
for line in "$@"; do
  zpty -w -n shell "$line"$'\x18'
  for i in {1..200}; do [[ -e told ]] && break; sleep 0.05; done
  cat told; rm told
done
zpty -d shell
`;

Deno.test({
  name: "zsh completes commands, their flags, and commands below commands",
  ignore: !hasProgram("zsh", "zsh"),
  fn: async () => {
    await using folder = await Folder.make();
    const text = FILES["zsh/vendor-completions/_holdfast"] ?? "";
    await Deno.writeTextFile(`${folder.path}/_holdfast`, text);
    const completed = {
      "holdfast pro": "holdfast probe ",
      "holdfast config che": "holdfast config check ",
      "holdfast watch http://x --ch": "holdfast watch http://x --channels ",
      "holdfast config check --ag": "holdfast config check --against ",
    };
    const lines = Object.keys(completed);
    const told = await outputOf("zsh", ["-f", "-c", ZSH_COMPLETES, "zsh", ...lines], folder.path);
    assertEquals(told.split("\n").filter((line) => line !== ""), Object.values(completed));
  },
});
