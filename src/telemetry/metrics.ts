/**
 * Metrics as values, and their text for Prometheus. prom-client does the text; this is the only
 * file that knows it.
 *
 * Why it: it writes the format and nothing else is asked of it, it keeps a registry per instance
 * where it is told to, and it runs here unchanged. The OpenTelemetry exporter for Prometheus brings
 * a whole SDK and opens a door of its own; the runtime's built-in OpenTelemetry pushes, and so has
 * nothing to be scraped. prom-client's own figures of process and event loop are wrong on this
 * runtime: they come from `process_figures.ts` and the server instead.
 *
 * Nothing is kept here. Each room counts in plain numbers, which are read when a scrape comes: no
 * broadcast and no poll pays for metrics, a channel that is gone is gone from the next scrape, and
 * the library itself is loaded by the first scrape, not at the start.
 */
import type { HistogramValue } from "./histogram.ts";

export type Labels = Readonly<Record<string, string>>;

/** One time series as it stands. */
export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

/** One histogram as it stands. */
export interface HistogramSample {
  readonly labels?: Labels;
  readonly value: HistogramValue;
}

interface Named {
  /** By Prometheus' conventions: base units, `_total` for counters and for nothing else. */
  readonly name: string;
  readonly help: string;
}

/** All series of one name. */
export type Metric =
  | Named & { readonly kind: "gauge" | "counter"; readonly samples: readonly Sample[] }
  | Named & { readonly kind: "histogram"; readonly samples: readonly HistogramSample[] };

/** A body and what it is. */
export interface Exposition {
  readonly text: string;
  readonly contentType: string;
}

export function gauge(name: string, help: string, samples: Samples): Metric {
  return { kind: "gauge", name, help, samples: listOf(samples) };
}

export function counter(name: string, help: string, samples: Samples): Metric {
  return { kind: "counter", name, help, samples: listOf(samples) };
}

export function histogram(
  name: string,
  help: string,
  samples: HistogramValue | readonly HistogramSample[],
): Metric {
  return {
    kind: "histogram",
    name,
    help,
    samples: "sum" in samples ? [{ value: samples }] : samples,
  };
}

/** A number where there is one series, a list of them elsewhere; `undefined`: not known here. */
export type Samples = number | undefined | readonly Sample[];

function listOf(samples: Samples): readonly Sample[] {
  if (samples === undefined) return [];
  return typeof samples === "number" ? [{ value: samples }] : samples;
}

/**
 * The text Prometheus reads. A metric without series is left out.
 *
 * @throws {Error} If two metrics have one name.
 */
export async function exposition(metrics: readonly Metric[]): Promise<Exposition> {
  const { Counter, Gauge, Histogram, Registry } = await import("prom-client");

  /** Shows what was counted elsewhere: the library's own would want each observation anew. */
  class CountedElsewhere extends Histogram<string> {
    constructor(readonly metric: Metric & { kind: "histogram" }) {
      super({ name: metric.name, help: metric.help, registers: [] });
    }

    /** What the registry asks for its text; its version is pinned, and tests hold it to this. */
    getForPromString() {
      const { name, help, kind, samples } = this.metric;
      const values = samples.flatMap((sample) => linesOf(name, sample));
      return Promise.resolve({ name, help, type: kind, values });
    }
  }

  const registry = new Registry();
  for (const metric of metrics) {
    if (metric.samples.length === 0) continue;
    if (metric.kind === "histogram") {
      registry.registerMetric(new CountedElsewhere(metric));
      continue;
    }
    const { name, help, samples } = metric;
    const labelNames = Object.keys(samples[0]?.labels ?? {});
    const options = { name, help, labelNames, registers: [registry] };
    if (metric.kind === "counter") {
      const shown = new Counter(options);
      for (const { labels = {}, value } of samples) shown.inc(labels, value);
    } else {
      const shown = new Gauge(options);
      for (const { labels = {}, value } of samples) shown.set(labels, value);
    }
  }
  return { text: await registry.metrics(), contentType: registry.contentType };
}

/** The lines of one histogram: each bucket, the sum and the count. */
function linesOf(name: string, { labels = {}, value }: HistogramSample) {
  const { bounds, cumulative, sum } = value;
  const count = cumulative.at(-1) ?? 0;
  const buckets = cumulative.map((upTo, at) => ({
    metricName: `${name}_bucket`,
    labels: { ...labels, le: bounds[at] ?? "+Inf" },
    value: upTo,
  }));
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
