import type { Metric } from "../../src/telemetry/metrics.ts";
import { processFigures } from "../../src/telemetry/process_figures.ts";
import { assert, assertEquals } from "../support/assert.ts";

function valueOf(metrics: readonly Metric[], name: string): number | undefined {
  const metric = metrics.find((each) => each.name === name);
  assert(metric !== undefined && metric.kind !== "histogram", name);
  return metric.samples[0]?.value;
}

Deno.test("processFigures() tells what this process takes, in base units", () => {
  const metrics = processFigures({ open: 12, max: 1024 });
  const rss = valueOf(metrics, "process_resident_memory_bytes") ?? 0;
  // A runtime takes tens of megabytes: what is off by a unit is off by a thousand.
  assert(rss > 2e7 && rss < 2e10, `rss ${rss}`);
  const [heap = 0, used = 0] = ["process_heap_bytes", "process_heap_used_bytes"]
    .map((name) => valueOf(metrics, name));
  assert(used > 1e5 && used <= heap && heap < rss, `heap ${used} of ${heap}`);
  assertEquals(valueOf(metrics, "process_open_fds"), 12);
  assertEquals(valueOf(metrics, "process_max_fds"), 1024);
});

Deno.test("processFigures() tells when the process started, in unix seconds, and always the same", async () => {
  const stat = await Deno.readTextFile("/proc/self/stat");
  const uptime = Number((await Deno.readTextFile("/proc/uptime")).split(" ")[0]);
  const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  const created = Date.now() / 1000 - uptime + ticks / 100;
  const started = valueOf(processFigures(), "process_start_time_seconds") ?? 0;
  // A runner of many tests counts each file's own beginning.
  assert(started > created - 5 && started <= Date.now() / 1000, `${started}, not ${created}`);
  assertEquals(valueOf(processFigures(), "process_start_time_seconds"), started);
});

Deno.test("processFigures() counts processor time in seconds, and it grows with work", () => {
  const before = valueOf(processFigures(), "process_cpu_seconds_total") ?? 0;
  const enough = before + 0.05;
  let now = before;
  // Ends: whatever else the machine does, this loop uses processor time.
  while (now < enough) now = valueOf(processFigures(), "process_cpu_seconds_total") ?? 0;
  assert(before > 0 && before < 3600, `${before} s`);
});

Deno.test("processFigures() says nothing of descriptors that are not known", () => {
  assertEquals(valueOf(processFigures(), "process_open_fds"), undefined);
  assertEquals(valueOf(processFigures(), "process_max_fds"), undefined);
});
