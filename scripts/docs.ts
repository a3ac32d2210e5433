// deno-lint-ignore-file no-console -- a script speaks to its caller
/**
 * Brings the tables in the documents up to date with the code's own: `deno task docs`. With
 * `--check` it only says whether they are, and exits 1 if not.
 */
import { refreshed } from "./docs/refresh.ts";
import { settingsTables } from "./docs/settings.ts";
import { TABLES } from "./docs/tables.ts";

const DOCUMENTS = {
  "docs/protocol.md": TABLES,
  "docs/configuration.md": settingsTables(),
};

let isStale = false;
for (const [name, tables] of Object.entries(DOCUMENTS)) {
  const file = new URL(`../${name}`, import.meta.url);
  const before = await Deno.readTextFile(file);
  const after = refreshed(before, tables);
  if (before === after) console.log(`${name} is up to date`);
  else if (Deno.args.includes("--check")) {
    console.error(`${name} is out of date: run \`deno task docs\``);
    isStale = true;
  } else {
    await Deno.writeTextFile(file, after);
    console.log(`${name} was brought up to date`);
  }
}
if (isStale) Deno.exit(1);
