import type { Rights } from "../door/identity.ts";
import type { StatusReport } from "./status_report.ts";

/** Which backend is asked for a channel. */
export interface FedChannel {
  readonly channel: string;
  readonly backend: string;
}

/**
 * What of `/status` somebody may see: the sources of channels it may read, and the backends that
 * feed those. What went wrong last with a backend may speak of any of its sources, so it is shown
 * to who may read them all.
 */
export function limitedStatus(
  status: StatusReport,
  { mayRead, readsAll }: Pick<Rights, "mayRead" | "readsAll">,
  fed: readonly FedChannel[],
): StatusReport {
  if (readsAll) return status;
  const sources = Object.entries(status.sources).filter(([channel]) => mayRead(channel));
  const backends = Object.entries(status.backends).flatMap(([name, report]) => {
    const channels = fed.filter(({ backend }) => backend === name).map(({ channel }) => channel);
    if (!channels.some(mayRead)) return [];
    return [[name, channels.every(mayRead) ? report : { ...report, last_error: null }]];
  });
  const { hooks: _who, ...rest } = status; // who is told of incidents is not for everybody
  return {
    ...rest,
    backends: Object.fromEntries(backends),
    sources: Object.fromEntries(sources),
  };
}
