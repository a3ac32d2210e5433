import { assertEquals } from "../support/assert.ts";

const ROOT = new URL("../../", import.meta.url);
const text = await Deno.readTextFile(new URL("docs/architecture.md", ROOT));

/** Names in backticks that are paths of this repository. */
const paths = [
  ...new Set(
    [...text.matchAll(/`((?:src|scripts|tests|docs)\/[\w./-]*)`/g)].map(([, path = ""]) => path),
  ),
];

Deno.test("every path that architecture.md names exists", async () => {
  assertEquals(paths.length > 50, true, `only ${paths.length} paths found`);
  const missing: string[] = [];
  for (const path of paths) {
    await Deno.stat(new URL(path, ROOT)).catch(() => missing.push(path));
  }
  assertEquals(missing, []);
});

Deno.test("every room of src, with the rooms inside, is in architecture.md", async () => {
  const picture = /```text\n([^]*?)```/.exec(text)?.[1] ?? "";
  const missing: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL("src/", ROOT))) {
    if (!isDirectory) continue;
    if (!new RegExp(`\\b${name}\\b`).test(picture)) missing.push(name);
    if (!["server", "hub", "rpc", "cluster", "incidents"].includes(name)) continue;
    for await (const inner of Deno.readDir(new URL(`src/${name}/`, ROOT))) {
      if (inner.isDirectory && !picture.includes(`${inner.name}/`)) {
        missing.push(`${name}/${inner.name}`);
      }
    }
  }
  assertEquals(missing, []);
});

Deno.test("every bound whose comment says what happens when full is in architecture.md", async () => {
  const missing: string[] = [];
  for await (const file of sources(new URL("src/", ROOT))) {
    const source = await Deno.readTextFile(file);
    const bounds = source.matchAll(
      /\/\*\*((?:(?!\*\/)[^])*)\*\/\n(?:export )?const ([A-Z_]+) =/g,
    );
    for (const [, comment = "", name = ""] of bounds) {
      if (/\bwhen\s+(\*\s+)?(it\s+is\s+)?full\b/i.test(comment) && !text.includes(`\`${name}\``)) {
        missing.push(`${name} in ${file.href.slice(ROOT.href.length)}`);
      }
    }
  }
  assertEquals(missing, []);
});

async function* sources(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* sources(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts") && name !== "built.ts") yield new URL(name, folder);
  }
}
