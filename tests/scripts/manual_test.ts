import { allOf, describeProgram } from "../../scripts/manual/describe.ts";
import { manualFiles } from "../../scripts/manual/write.ts";
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";
import { hasProgram } from "../docs/programs.ts";
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
