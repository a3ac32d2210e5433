import type { Case } from "./case.ts";
import type { Scale } from "./scale.ts";
import { churn } from "./workloads/churn.ts";
import { firehose } from "./workloads/firehose.ts";
import { fourSources } from "./workloads/four_sources.ts";
import { idle } from "./workloads/idle.ts";
import { stalled } from "./workloads/stalled.ts";
import { start } from "./workloads/start.ts";
import { stop } from "./workloads/stop.ts";
import { storm } from "./workloads/storm.ts";
import { tick } from "./workloads/tick.ts";

/** Every case of every workload, in the order in which it is measured and told. */
export async function workloads(scale: Scale): Promise<Case[]> {
  return [
    ...tick(scale),
    ...firehose(scale),
    ...fourSources(scale),
    ...stalled(scale),
    ...idle(scale),
    ...churn(scale),
    ...storm(scale),
    ...stop(scale),
    ...await start(scale),
  ];
}

/** The workload that a case belongs to: `tick` of `tick/5000`. */
export function workloadOf(id: string): string {
  return id.slice(0, id.indexOf("/"));
}
