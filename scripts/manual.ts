// deno-lint-ignore-file no-console -- a script speaks to its caller
/** Writes the man page and the completions of bash, zsh and fish into `dist/share`, from the help. */
import { dirname } from "node:path";
import manifest from "../deno.json" with { type: "json" };
import { manualFiles } from "./manual/write.ts";

for (const [name, text] of Object.entries(manualFiles(manifest.version))) {
  const path = `dist/share/${name}`;
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, text);
  console.log(path);
}
