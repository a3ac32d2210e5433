import { MAX_LINES, readingsOf } from "../../src/page/series.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("readingsOf() takes what matters of the well-known channels", () => {
  assertEquals(
    readingsOf("system_status", { cpu: { usage_ratio: 0.1 }, memory: { used_ratio: 0.2 } }),
    { unit: "ratio", list: [{ name: "CPU", value: 0.1 }, { name: "Memory", value: 0.2 }] },
  );
  assertEquals(
    readingsOf("agent_status", { agents: [{ bytes_per_second: 3 }, { bytes_per_second: 4 }, {}] }),
    { unit: "bytes_per_second", list: [{ name: "Together", value: 7 }] },
  );
  assertEquals(
    readingsOf("compression_update", { queued: 3, compressing: 1 })?.list.map(({ value }) => value),
    [3, 1],
  );
  assertEquals(
    readingsOf("storage_update", {
      filesystems: Array.from({ length: 9 }, (_, index) => ({
        mount_point: `/${index}`,
        used_ratio: 0.5,
      })),
    })?.list.length,
    MAX_LINES,
  );
});

Deno.test("readingsOf() takes of an unknown value the numbers of one unit, ratios first", () => {
  assertEquals(readingsOf("queue", { depth: 4, deep: { full_ratio: 0.5 }, id: 7 }), {
    unit: "ratio",
    list: [{ name: "Deep Full", value: 0.5 }],
  });
  assertEquals(readingsOf("queue", { depth: 4, jobs_per_second: 2 })?.unit, "per_second");
  assertEquals(readingsOf("queue_bytes", 12), {
    unit: "bytes",
    list: [{ name: "Queue", value: 12 }],
  });
});

Deno.test("readingsOf() finds nothing where there is no number to draw", () => {
  const nothing = [null, "text", [1, 2], {}, { at: "noon" }, { seen_at: 1_764_000_000 }, NaN];
  for (const value of nothing) assertEquals(readingsOf("queue", value), undefined);
  assertEquals(readingsOf("system_status", { cpu: "busy" }), undefined);
});
