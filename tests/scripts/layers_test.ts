import { breachesOf, readImports } from "../../scripts/layers/graph.ts";
import { sharedTypeNames } from "../../scripts/layers/type_names.ts";
import { assertEquals, assertStringIncludes } from "../support/assert.ts";

const INSIDE = { hub: { delivery: [".", "resume"], resume: [] } };
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
  return breachesOf(await readImports(made.url), FLOORS, INSIDE);
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
    "hub/b.ts": `import "./delivery/c.ts";`,
    "hub/delivery/c.ts": `import type { A } from "../a.ts";`,
  });
  assertEquals(more, []);
  assertEquals(found?.startsWith("import cycle: hub/"), true);
  for (const file of ["hub/a.ts", "hub/b.ts", "hub/delivery/c.ts"]) {
    assertStringIncludes(found ?? "", file);
  }
});

Deno.test("breachesOf() finds a room that is not on the plan", async () => {
  const [found] = await breaches({ "attic/box.ts": "" });
  assertStringIncludes(found ?? "", `the room "attic" is not on the house plan`);
});

Deno.test("breachesOf() holds inner rooms to their order, and knows them all", async () => {
  assertEquals(
    await breaches({
      "hub/hub.ts": `import "./delivery/a.ts"; import "./resume/b.ts";`,
      "hub/delivery/a.ts": `import "../resume/b.ts"; import type { S } from "../session.ts";`,
      "hub/resume/b.ts": `import "../../protocol/c.ts";`,
      "hub/session.ts": "",
      "protocol/c.ts": "",
    }),
    [],
  );
  assertEquals(
    await breaches({
      "hub/resume/b.ts": `import type { S } from "../session.ts";`,
      "hub/session.ts": "",
    }),
    [`hub/resume/b.ts imports hub/session.ts: "resume" may not know "."`],
  );
  const [unknown] = await breaches({
    "hub/attic/b.ts": `import "../session.ts";`,
    "hub/session.ts": "",
  });
  assertStringIncludes(unknown ?? "", `the inner room "attic" is not on the house plan`);
});

Deno.test("sharedTypeNames() finds a name that two files declare, exported or not", async () => {
  await using made = await tree({
    "hub/a.ts": "export interface Entry<T> {}\nexport type Own = Entry<1>;",
    "hub/b.ts": "type Entry = string;\nfunction f() {\n  type Own = 1;\n}",
    "hub/c.ts": `import type { Entry } from "./a.ts";`,
    "page/built.ts": "export interface Entry {}",
  });
  assertEquals(await sharedTypeNames(made.url), [
    `the type name "Entry" means 2 things: hub/a.ts, hub/b.ts`,
  ]);
});

Deno.test("readImports() reads every file of the house", async () => {
  const imports = await readImports(new URL("../../src/", import.meta.url));
  assertEquals(imports.get("protocol/status_data.ts"), ["protocol/error_event.ts"]);
  assertEquals(imports.get("protocol/error_event.ts"), []);
});
