import type { Measured } from "./compare.ts";
import { type Figure, formatFigure } from "./figures.ts";
import { BATCHED } from "./peers.ts";
import { ratioOf, rowsOf } from "./summary.ts";

/** What is to be reached, as a ratio or a figure. */
interface Goal {
  readonly text: string;
  readonly case: string;
  readonly figure: Figure;
  readonly peer: string;
  /** Of a ratio: whom to. */
  readonly against?: readonly string[];
  readonly atMost: number;
}

/** How far a goal was reached. */
export interface Reached {
  readonly text: string;
  readonly atMost: string;
  /** `undefined` if it was not measured. */
  readonly found: string | undefined;
  readonly isReached: boolean;
}

const ALL_PEERS = ["control", "ws", "socket_io", "bun", "nchan", "nats", "pushpin"] as const;

/** Garbage that a collector had not come to yet; a leak of 1 KB a client would make 20 MiB. */
const NO_GROWTH_MIB = 4;

const GOALS: readonly Goal[] = [
  ...([["control", 1.05], ["ws", 0.85], ["socket_io", 0.6]] as const).map(([peer, atMost]) => ({
    text: `tick at 5,000: CPU per delivery, to ${peer}`,
    case: "tick/5000",
    figure: "cpuPerDeliveryUs" as const,
    peer: "holdfast",
    against: [peer],
    atMost,
  })),
  {
    text: "tick at 5,000: p99, to control",
    case: "tick/5000",
    figure: "p99Ms",
    peer: "holdfast",
    against: ["control"],
    atMost: 1.1,
  },
  ...(["firehose/1000", "four_sources/1000"] as const).flatMap((id) => [
    {
      text: `${id} with batch=1: CPU per delivery, to floor`,
      case: id,
      figure: "cpuPerDeliveryUs" as const,
      peer: BATCHED,
      against: ["floor"],
      atMost: 0.7,
    },
    {
      text: `${id} with batch=1: CPU per delivery, to the best of the peers`,
      case: id,
      figure: "cpuPerDeliveryUs" as const,
      peer: BATCHED,
      against: ALL_PEERS,
      atMost: 1,
    },
  ]),
  {
    text: "stalled: p99 of the healthy, to the same without stalled ones",
    case: "stalled/1000+20",
    figure: "stalledToHealthyP99",
    peer: "holdfast",
    atMost: 1.2,
  },
  {
    text: "RSS per stalled client",
    case: "stalled_memory/100+200",
    figure: "rssPerStalledKib",
    peer: "holdfast",
    atMost: 64,
  },
  {
    text: "idle: RSS per connection, to control",
    case: "idle/5000",
    figure: "rssPerConnectionKib",
    peer: "holdfast",
    against: ["control"],
    atMost: 1.15,
  },
  {
    text: "stop with 5,000 clients: all told and closed",
    case: "stop/5000",
    figure: "closedMs",
    peer: "holdfast",
    atMost: 2000,
  },
  ...([["cpuPerReturnUs", "CPU per client", 1.25], [
    "servedMs",
    "last client served",
    1.2,
  ]] as const)
    .map(([figure, name, atMost]) => ({
      text: `storm of 5,000: ${name}, to control`,
      case: "storm/5000",
      figure,
      peer: "holdfast",
      against: ["control"],
      atMost,
    })),
  {
    text: "churn: growth from the second quarter of a minute to the last",
    case: "churn/500",
    figure: "growthMib",
    peer: "holdfast",
    atMost: NO_GROWTH_MIB,
  },
];

/** What has become of each goal. */
export function goalsReached(samples: readonly Measured[]): Reached[] {
  return GOALS.map((goal) => {
    const { text, figure, atMost, against } = goal;
    const format = (value: number) =>
      against === undefined ? formatFigure(figure, value) : value.toFixed(2);
    const value = against === undefined
      ? rowsOf(samples, goal.case).find(({ peer }) => peer === goal.peer)?.figures[figure]
      : ratioOf(samples, { ...goal, against });
    return {
      text,
      atMost: format(atMost),
      found: value === undefined ? undefined : format(value),
      isReached: value !== undefined && value <= atMost,
    };
  });
}
