import { FeedMetrics } from "../../../src/server/reports/feed_metrics.ts";
import type { Metric } from "../../../src/telemetry/metrics.ts";
import { assertEquals } from "../../support/assert.ts";

const SCOPE = {
  backends: ["core"],
  sources: [{ channel: "a", backend: "core" }],
};

/** Counts that are not 0, by name and labels. */
function counts(metrics: readonly Metric[]): Record<string, number> {
  const all = metrics.flatMap((metric) =>
    metric.kind === "histogram"
      ? metric.samples.map(({ labels, value }) =>
        [metric.name, labels, value.cumulative.at(-1) ?? 0] as const
      )
      : metric.samples.map(({ labels, value }) => [metric.name, labels, value] as const)
  );
  return Object.fromEntries(
    all.filter(([, , count]) => count !== 0)
      .map(([name, labels, count]) => [`${name} ${Object.values(labels ?? {}).join(" ")}`, count]),
  );
}

Deno.test("FeedMetrics() counts polls by outcome, calls, and what breakers did", () => {
  const figures = new FeedMetrics();
  for (const outcome of ["ok", "ok", "rejected"] as const) {
    figures.onCall("core");
    figures.onPoll({ channel: "a", backend: "core", outcome, durationMs: 100 });
  }
  figures.onBreaker("core", "open");
  assertEquals(counts(figures.metrics(SCOPE)), {
    "holdfast_poll_duration_seconds a core ok": 2,
    "holdfast_poll_duration_seconds a core rejected": 1,
    "holdfast_backend_calls_total core": 3,
    "holdfast_breaker_transitions_total core open": 1,
  });
});

Deno.test("FeedMetrics() counts what came of streams, and shows none where there was no stream", () => {
  const figures = new FeedMetrics();
  const names = () =>
    figures.metrics(SCOPE).filter(({ samples }) => samples.length > 0)
      .map(({ name }) => name);
  assertEquals(names().includes("holdfast_stream_events_total"), false);
  for (const outcome of ["ok", "ok", "unavailable"] as const) {
    figures.onStream({ channel: "a", backend: "core", outcome });
  }
  assertEquals(counts(figures.metrics(SCOPE)), {
    "holdfast_stream_events_total a core ok": 2,
    "holdfast_stream_events_total a core unavailable": 1,
  });
  figures.metrics({ ...SCOPE, sources: [] });
  assertEquals(names().includes("holdfast_stream_events_total"), false);
});

Deno.test("FeedMetrics.metrics() measures polls in seconds", () => {
  const figures = new FeedMetrics();
  figures.onPoll({ channel: "a", backend: "core", outcome: "ok", durationMs: 250 });
  const [polls] = figures.metrics(SCOPE);
  const sums = polls?.kind === "histogram" ? polls.samples.map(({ value }) => value.sum) : [];
  assertEquals(sums.filter((sum) => sum !== 0), [0.25]);
});

Deno.test("FeedMetrics.metrics() forgets what the configuration does without", () => {
  const figures = new FeedMetrics();
  const poll = { channel: "a", outcome: "ok", durationMs: 1 } as const;
  figures.onPoll({ ...poll, backend: "core" });
  figures.onPoll({ ...poll, backend: "other" }); // the channel has moved
  figures.onCall("other");
  const moved = { backends: ["other"], sources: [{ channel: "a", backend: "other" }] };
  assertEquals(counts(figures.metrics(moved)), {
    "holdfast_poll_duration_seconds a other ok": 1,
    "holdfast_backend_calls_total other": 1,
  });
  assertEquals(counts(figures.metrics(SCOPE)), {}, "and does not remember it later");
});
