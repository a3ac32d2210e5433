// deno-lint-ignore-file no-console -- a script speaks to its caller
/**
 * Brings the tables in docs/protocol.md up to date with the code's own: `deno task docs`. With
 * `--check` it only says whether they are, and exits 1 if not.
 */
import { refreshed } from "./docs/refresh.ts";
import { TABLES } from "./docs/tables.ts";

const file = new URL("../docs/protocol.md", import.meta.url);
const before = await Deno.readTextFile(file);
const after = refreshed(before, TABLES);
if (before === after) console.log("docs/protocol.md is up to date");
else if (Deno.args.includes("--check")) {
  console.error("docs/protocol.md is out of date: run `deno task docs`");
  Deno.exit(1);
} else {
  await Deno.writeTextFile(file, after);
  console.log("docs/protocol.md was brought up to date");
}
