import { breachesOf, readImports } from "../../scripts/layers/graph.ts";
import { assertEquals, assertStringIncludes } from "../support/assert.ts";

const FLOORS = { protocol: [], hub: ["protocol"], server: ["protocol", "hub"] };

/** Writes a tree of files somewhere and takes it away again. */
async function tree(files: Record<string, string>) {
  const path = await Deno.makeTempDir({ prefix: "layers-" });
  for (const [name, text] of Object.entries(files)) {
    const file = `${path}/${name}`;
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(file, text);
  }
  return {
    url: new URL(`file://${path}/`),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

async function breaches(files: Record<string, string>): Promise<string[]> {
  await using made = await tree(files);
  return breachesOf(await readImports(made.url), FLOORS);
}

Deno.test("breachesOf() finds nothing where all arrows point downward", async () => {
  assertEquals(
    await breaches({
      "protocol/codec.ts": `import { z } from "zod";\nexport const a = 1;`,
      "hub/hub.ts": `import { a } from "../protocol/codec.ts";\nimport "./session.ts";`,
      "hub/session.ts": `export {};`,
      "hub/notes.md": `import "../server/app.ts"`,
      "server/app.ts": `import type { Hub } from "../hub/hub.ts";`,
    }),
    [],
  );
});

Deno.test("breachesOf() finds an arrow that points upward, in every form an import takes", async () => {
  const forms = [
    `import { a } from "../server/app.ts";`,
    `import type { A } from "../server/app.ts";`,
    `import "../server/app.ts";`,
    `export * from "../server/app.ts";`,
    `import {\n  a,\n  b,\n} from "../server/app.ts";`,
    `const a = await import("../server/app.ts");`,
    `// @ts-types="../server/app.ts"\nimport { a } from "zod";`,
  ];
  for (const form of forms) {
    assertEquals(
      await breaches({ "hub/hub.ts": form, "server/app.ts": "" }),
      [`hub/hub.ts imports server/app.ts: "hub" may not know "server"`],
      form,
    );
  }
});

Deno.test("breachesOf() finds rooms of one floor that know each other", async () => {
  const found = await breaches({
    "hub/hub.ts": `import "../protocol/a.ts";`,
    "protocol/a.ts": `import "../hub/hub.ts";`,
  });
  assertEquals(found.length, 2);
  assertStringIncludes(found[0] ?? "", `"protocol" may not know "hub"`);
  assertStringIncludes(found[1] ?? "", "import cycle");
});

Deno.test("breachesOf() finds a cycle inside a room and names its way", async () => {
  const [found, ...more] = await breaches({
    "hub/a.ts": `import "./b.ts";`,
    "hub/b.ts": `import "./deep/c.ts";`,
    "hub/deep/c.ts": `import type { A } from "../a.ts";`,
  });
  assertEquals(more, []);
  assertEquals(found?.startsWith("import cycle: hub/"), true);
  for (const file of ["hub/a.ts", "hub/b.ts", "hub/deep/c.ts"]) {
    assertStringIncludes(found ?? "", file);
  }
});

Deno.test("breachesOf() finds a room that is not on the plan", async () => {
  const [found] = await breaches({ "attic/box.ts": "" });
  assertStringIncludes(found ?? "", `the room "attic" is not on the house plan`);
});

Deno.test("readImports() reads every file of the house", async () => {
  const imports = await readImports(new URL("../../src/", import.meta.url));
  assertEquals(imports.get("protocol/status_data.ts"), ["protocol/error_event.ts"]);
  assertEquals(imports.get("protocol/error_event.ts"), []);
});
