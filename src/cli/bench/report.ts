import { printable } from "../printable.ts";
import type { LogHistogram } from "./histogram.ts";
import type { LoadResult } from "./load.ts";

type Measured = Extract<LoadResult, { kind: "measured" }>;

/** What a load has shown, for programs: times in milliseconds, `null` where nothing was measured. */
export function resultJson(clients: number, result: Measured): string {
  const { ms, tally, ledger, findings, connectedAtEnd } = result;
  return JSON.stringify({
    clients,
    connected_at_end: connectedAtEnd,
    duration_ms: Math.round(ms),
    deliveries: tally.deliveries,
    deliveries_per_second: rounded(tally.deliveries / ms * 1000),
    bytes: tally.bytes,
    deliveries_by_type: Object.fromEntries(tally.byType),
    spread_ms: figures(ledger.spread),
    ping_ms: figures(tally.roundTrip),
    broadcasts: findings.broadcasts,
    missed: findings.missed,
    conflated: findings.conflated,
    lost: tally.lost,
    slow_client_drops: tally.slow,
    reconnects: tally.reconnects,
    refused: tally.refused,
    not_frames: tally.notFrames,
    own_delay_ms: figures(tally.ownDelay),
  });
}

/** The same in lines for people, with what each figure means. */
export function resultLines(clients: number, result: Measured): string[] {
  const { ms, tally, ledger, findings } = result;
  const { deliveries, bytes, byType } = tally;
  const types = [...byType].sort(([, a], [, b]) => b - a).map(([type, count]) =>
    `${count} ${printable(type)}`
  );
  return [
    `${clients} clients for ${(ms / 1000).toFixed(1)} s`,
    `deliveries  ${deliveries}, ${rounded(deliveries / ms * 1000)}/s, ${megabytes(bytes)} MB`,
    ...(types.length === 0 ? [] : [`            ${types.join(", ")}`]),
    `spread      ${told(ledger.spread)}`,
    "            (from the first client's receipt of a broadcast to each other client's)",
    `ping        ${told(tally.roundTrip)}`,
    `missed      ${findings.missed} events, of ${findings.broadcasts} broadcasts compared`,
    `conflated   ${findings.conflated} values, each because a newer one took its place`,
    `lost        ${tally.lost} connections, ${tally.slow} of them as slow clients; ` +
    `${tally.reconnects} came back, ${tally.refused} attempts refused`,
    ...(tally.notFrames === 0 ? [] : [`not frames  ${tally.notFrames} messages`]),
    `own delay   ${told(tally.ownDelay)}`,
    "            (how late this program's own timers were: its share of the times above)",
  ];
}

interface Figures {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly count: number;
}

function figures(histogram: LogHistogram): Figures | null {
  const [p50, p99] = [0.5, 0.99].map((p) => histogram.percentile(p));
  if (p50 === undefined || p99 === undefined) return null;
  const { max, total: count } = histogram;
  return { p50: rounded(p50), p99: rounded(p99), max: rounded(max), count };
}

function told(histogram: LogHistogram): string {
  const found = figures(histogram);
  if (found === null) return "nothing to measure";
  return `p50 ${found.p50} ms, p99 ${found.p99} ms, max ${found.max} ms`;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(2);
}
