import { markdownTable, refreshed } from "../../scripts/docs/refresh.ts";
import { settingsTables } from "../../scripts/docs/settings.ts";
import { TABLES } from "../../scripts/docs/tables.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";

Deno.test("docs/protocol.md has the tables the code runs on", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/protocol.md", import.meta.url));
  assertEquals(refreshed(text, TABLES), text, "run `deno task docs`");
});

Deno.test("docs/configuration.md has every setting, with its default", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/configuration.md", import.meta.url));
  assertEquals(refreshed(text, settingsTables()), text, "run `deno task docs`");
});

Deno.test("refreshed() replaces what stands between the marks and nothing else", () => {
  const text = "before\n<!-- a -->\nold\n<!-- /a -->\nafter\n";
  assertEquals(refreshed(text, { a: "new" }), "before\n<!-- a -->\n\nnew\n\n<!-- /a -->\nafter\n");
});

Deno.test("refreshed() throws on a table without a place", () => {
  assertThrows(() => refreshed("", { a: "new" }), TypeError, "<!-- a -->");
});

Deno.test("markdownTable() makes columns as wide as their widest cell", () => {
  assertEquals(
    markdownTable(["x", "long"], [["wide", "y"]]),
    "| x    | long |\n| ---- | ---- |\n| wide | y    |",
  );
});
