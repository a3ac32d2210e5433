import { sourcesBelow } from "./graph.ts";

const DECLARATION = /^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|type|enum) (\w+)/gm;

/** Every type name that more than one file below `root` declares, in words. */
export async function sharedTypeNames(root: URL): Promise<string[]> {
  const files = new Map<string, string[]>();
  for await (const url of sourcesBelow(root)) {
    const file = url.href.slice(root.href.length);
    // Declarations of others' modules, and text that is made from other files.
    if (file.endsWith(".d.ts") || file.endsWith("/built.ts")) continue;
    const text = await Deno.readTextFile(url);
    const names = new Set([...text.matchAll(DECLARATION)].map(([, name = ""]) => name));
    for (const name of names) files.set(name, [...files.get(name) ?? [], file]);
  }
  return [...files].filter(([, where]) => where.length > 1).map(([name, where]) =>
    `the type name "${name}" means ${where.length} things: ${where.sort().join(", ")}`
  );
}
