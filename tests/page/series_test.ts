import { MAX_LINES, numbersOf } from "../../src/page/charts/series.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("numbersOf() takes what matters of the well-known channels", () => {
  assertEquals(
    numbersOf("system_status", { cpu: { usage_ratio: 0.1 }, memory: { used_ratio: 0.2 } }),
    [
      { name: "CPU", value: 0.1, unit: "ratio" },
      { name: "Memory", value: 0.2, unit: "ratio" },
    ],
  );
  assertEquals(
    numbersOf("agent_status", { agents: [{ bytes_per_second: 3 }, { bytes_per_second: 4 }, {}] }),
    [{ name: "Together", value: 7, unit: "bytes_per_second" }],
  );
  assertEquals(
    numbersOf("compression_update", { queued: 3, compressing: 1 }).map(({ value }) => value),
    [3, 1],
  );
  const filesystems = Array.from({ length: 9 }, (_, index) => ({
    mount_point: `/${index}`,
    used_ratio: 0.5,
  }));
  assertEquals(numbersOf("storage_update", { filesystems }).length, MAX_LINES);
});

Deno.test("numbersOf() takes of an unknown value the first numbers of each unit, ratios first", () => {
  assertEquals(numbersOf("queue", { depth: 4, deep: { full_ratio: 0.5 }, a: 1, b: 2, c: 3 }), [
    { name: "Deep Full", value: 0.5, unit: "ratio" },
    { name: "Depth", value: 4, unit: "plain" },
    { name: "A", value: 1, unit: "plain" },
    { name: "B", value: 2, unit: "plain" },
  ]);
  assertEquals(numbersOf("queue_bytes", 12), [{ name: "Queue", value: 12, unit: "bytes" }]);
});

Deno.test("numbersOf() takes the channel's own unit where a name tells none", () => {
  assertEquals(numbersOf("hall", 21, "°C"), [{ name: "Hall", value: 21, unit: "°C" }]);
  assertEquals(
    numbersOf("hall", { press: 21, used_ratio: 0.5 }, "°C").map(({ unit }) => unit),
    ["°C", "ratio"],
  );
  assertEquals(numbersOf("hall", 7, "ratio")[0]?.unit, "plain", "a ratio is between 0 and 1");
});

Deno.test("numbersOf() finds nothing where there is no number to draw", () => {
  const nothing = [null, "text", [1, 2], {}, { at: "noon" }, { seen_at: 1_764_000_000 }, NaN];
  for (const value of nothing) assertEquals(numbersOf("queue", value), []);
  assertEquals(numbersOf("system_status", { cpu: "busy" }), []);
});
