import { Histogram } from "../../src/telemetry/histogram.ts";
import { counter, exposition, gauge, histogram } from "../../src/telemetry/metrics.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";

Deno.test("exposition() writes gauges, counters and histograms as Prometheus reads them", async () => {
  const waits = new Histogram([0.1, 1]);
  waits.observe(0.5);
  waits.observe(7);
  const { text, contentType } = await exposition([
    gauge("clients", "Clients.", 3),
    counter("errors_total", "Errors.", [
      { labels: { code: "A" }, value: 0 },
      { labels: { code: "B" }, value: 2 },
    ]),
    histogram("wait_seconds", "Waits.", [{ labels: { channel: "a" }, value: waits.value() }]),
  ]);
  assertEquals(contentType, "text/plain; version=0.0.4; charset=utf-8");
  assertEquals(
    text,
    `# HELP clients Clients.
# TYPE clients gauge
clients 3

# HELP errors_total Errors.
# TYPE errors_total counter
errors_total{code="A"} 0
errors_total{code="B"} 2

# HELP wait_seconds Waits.
# TYPE wait_seconds histogram
wait_seconds_bucket{channel="a",le="0.1"} 0
wait_seconds_bucket{channel="a",le="1"} 1
wait_seconds_bucket{channel="a",le="+Inf"} 2
wait_seconds_sum{channel="a"} 7.5
wait_seconds_count{channel="a"} 2
`,
  );
});

Deno.test("exposition() escapes label values", async () => {
  const { text } = await exposition([gauge("g", "g", [{ labels: { a: 'x"\\\ny' }, value: 1 }])]);
  assertEquals(text.split("\n")[2], 'g{a="x\\"\\\\\\ny"} 1');
});

Deno.test("exposition() leaves out what has no series, and keeps nothing from one call to the next", async () => {
  await exposition([gauge("before", "b", 1)]);
  const { text } = await exposition([
    gauge("none", "n", []),
    gauge("unknown", "u", undefined),
    gauge("one", "o", 1),
  ]);
  assertEquals(text, "# HELP one o\n# TYPE one gauge\none 1\n");
});

Deno.test("exposition() throws if two metrics have one name", async () => {
  await assertRejects(() => exposition([gauge("a", "a", 1), gauge("a", "a", 1)]), Error, "a");
});
