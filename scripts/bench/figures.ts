/** What can be measured, and how it is told. */
export const FIGURES = {
  cpuPerDeliveryUs: { title: "CPU per delivery", unit: "µs", digits: 2 },
  p50Ms: { title: "last client, p50", unit: "ms", digits: 1 },
  p99Ms: { title: "last client, p99", unit: "ms", digits: 1 },
  messagesPerFrame: { title: "messages a frame", unit: "", digits: 1 },
  behindMs: { title: "publisher behind", unit: "ms", digits: 0 },
  loadBusy: { title: "load client busy", unit: "%", digits: 0 },
  rssPerConnectionKib: { title: "RSS per connection", unit: "KiB", digits: 1 },
  healthyP99Ms: { title: "p99 without stalled", unit: "ms", digits: 1 },
  stalledToHealthyP99: { title: "p99 with : without", unit: "", digits: 2 },
  rssPerStalledKib: { title: "RSS per stalled", unit: "KiB", digits: 0 },
  kernelPerStalledKib: { title: "kernel queue per stalled", unit: "KiB", digits: 0 },
  cpuPerConnectionUs: { title: "CPU per coming and going", unit: "µs", digits: 0 },
  cpuPerReturnUs: { title: "CPU per client", unit: "µs", digits: 0 },
  servedMs: { title: "last client served", unit: "ms", digits: 0 },
  growthMib: { title: "growth after a quarter", unit: "MiB", digits: 1 },
  toldMs: { title: "last client told", unit: "ms", digits: 0 },
  closedMs: { title: "last client closed", unit: "ms", digits: 0 },
  exitMs: { title: "process ended", unit: "ms", digits: 0 },
  listeningMs: { title: "listening", unit: "ms", digits: 0 },
  firstValueMs: { title: "first value at a client", unit: "ms", digits: 0 },
} as const;

export type Figure = keyof typeof FIGURES;

export type Figures = Readonly<Partial<Record<Figure, number>>>;

/** A figure for people, with its unit. */
export function formatFigure(figure: Figure, value: number): string {
  const { unit, digits } = FIGURES[figure];
  return `${value.toFixed(digits)}${unit === "" ? "" : ` ${unit}`}`;
}
