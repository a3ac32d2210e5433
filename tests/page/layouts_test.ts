import { layoutOf } from "../../src/page/values/layouts.ts";
import type { View } from "../../src/page/values/view.ts";
import { assert, assertEquals, assertStringIncludes } from "../support/assert.ts";

function partsOf(view: View) {
  assert(view.kind === "stack", view.kind);
  return view.parts;
}

Deno.test("layoutOf() shows a system's load as meters with what they are of", () => {
  const [first] = partsOf(layoutOf("system_status", {
    hostname: "box",
    cpu: { count: 2, usage_ratio: 0.4 },
    memory: { used_ratio: 0.5, used_bytes: 2 ** 30, total_bytes: 2 ** 31 },
    swap: { used_ratio: 0, used_bytes: 0, total_bytes: 0 },
  }));
  assertEquals(first?.view, {
    kind: "meters",
    meters: [
      { label: "CPU", ratio: 0.4, text: "40 %", note: "2 processors" },
      { label: "Memory", ratio: 0.5, text: "50 %", note: "1.00 GiB of 2.00 GiB" },
    ],
  });
});

Deno.test("layoutOf() leaves nothing of a value out: the rest is folded away", () => {
  const parts = partsOf(layoutOf("system_status", { hostname: "box", cpu: { usage_ratio: 0.4 } }));
  const rest = parts.at(-1);
  assertEquals(rest?.isFolded, true);
  assertStringIncludes(JSON.stringify(rest), "box");
});

Deno.test("layoutOf() shows file systems by how full they are, and names those that did not tell", () => {
  const parts = partsOf(layoutOf("storage_update", {
    filesystems: [
      { mount_point: "/", used_ratio: 0.5 },
      { mount_point: "/mnt/dead", error: "it did not answer" },
    ],
  }));
  assertEquals(parts[0]?.view, {
    kind: "meters",
    meters: [{ label: "/", ratio: 0.5, text: "50 %" }],
  });
  assertStringIncludes(JSON.stringify(parts[1]), "it did not answer");
});

Deno.test("layoutOf() counts agents at work and shows how far their jobs are", () => {
  const parts = partsOf(layoutOf("agent_status", {
    agents: [
      {
        id: "a1",
        state: "working",
        bytes_per_second: 1024,
        current_job: { file: "x.log", progress_ratio: 0.25 },
      },
      { id: "a2", state: "idle", bytes_per_second: 0 },
    ],
  }));
  assertStringIncludes(JSON.stringify(parts[0]), "1 of 2");
  const table = parts[1]?.view;
  assert(table?.kind === "table");
  assertEquals(table.columns.map(({ label }) => label), ["Agent", "Job", "Progress", "Speed"]);
  assertEquals(table.rows[0]?.[2]?.kind, "bar");
  assertStringIncludes(JSON.stringify(table.rows[1]), "idle");
});

Deno.test("layoutOf() shows the jobs with the counts above them", () => {
  const parts = partsOf(layoutOf("compression_update", {
    queued: 3,
    failed: 1,
    jobs: [{ file: "x", state: "compressing", progress_ratio: 0.5, original_bytes: 2048 }],
  }));
  assertEquals(parts[0]?.view, {
    kind: "tiles",
    tiles: [{ label: "Queued", text: "3" }, { label: "Failed", text: "1" }],
  });
  assertStringIncludes(JSON.stringify(parts[1]), "2.00 KiB");
});

Deno.test("layoutOf() falls back on the shape when a well-known channel carries something else", () => {
  assertEquals(layoutOf("agent_status", { agents: "many" }).kind, "fields");
  assertEquals(layoutOf("system_status", [1, 2]), { kind: "text", text: "1, 2" });
  assertEquals(layoutOf("storage_update", null).kind, "text");
  assertEquals(layoutOf("compression_update", { jobs: [1] }).kind, "fields");
  assertEquals(layoutOf("constructor", { a: 1 }).kind, "fields");
});
