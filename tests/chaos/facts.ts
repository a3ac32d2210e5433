import type { LogLine } from "../support/hub_process.ts";
import type { Told } from "./journal.ts";
import type { Given } from "./storm_backend.ts";

/** A failure the hub told of, and what it put in doubt. */
export interface Failure {
  readonly seq: number;
  /** The hub's clock, in unix milliseconds: when it knew. */
  readonly at: number;
  readonly doubts: (channel: string) => boolean;
}

/** What really happened, to hold what clients were told against. */
export interface Facts {
  /** Values by `n`. */
  readonly given: ReadonlyMap<number, Given>;
  /** In the order of `seq`. */
  readonly failures: readonly Failure[];
  /** From when to when breakers were open, as the hub told: sequence numbers. */
  readonly outages: readonly { readonly from: number; readonly until: number }[];
  /** The method behind each channel of the backend under fire. */
  readonly methods: ReadonlyMap<string, string>;
  /** Sequence number of each numbered notification, by its number. */
  readonly published: ReadonlyMap<number, number>;
}

export interface FactSources {
  /** What somebody was told who heard everything there was to hear. */
  readonly witnessed: readonly Told[];
  /** The hub's own log, debug lines included: it has the hub's own time. */
  readonly logs: readonly LogLine[];
  readonly given: ReadonlyMap<number, Given>;
  /** Name of the backend under fire. */
  readonly backend: string;
  readonly methods: ReadonlyMap<string, string>;
  readonly published: ReadonlyMap<number, number>;
}

/**
 * Puts together what the hub told a witness and when its log says that was.
 *
 * @throws If the log and the witness do not tell of the same number of failures.
 */
export function gatherFacts(sources: FactSources): Facts {
  const { witnessed, logs, given, backend, methods, published } = sources;
  const times = {
    failed: timesBy(logs, ["poll.failed", "poll.failed_again"], "channel"),
    opened: timesBy(logs, ["breaker.opened"], "backend"),
  };
  const failures: Failure[] = [];
  const outages: { from: number; until: number }[] = [];
  for (const { seq, data: { code, data } } of witnessed) {
    if (seq === undefined) continue;
    if (code === "RPC_FAILURE") {
      const at = times.failed.get(data.channel)?.shift();
      if (at === undefined) throw new Error(`the log knows of fewer failures of ${data.channel}`);
      failures.push({ seq, at, doubts: (channel) => channel === data.channel });
    } else if (code === "CIRCUIT_OPEN" && data.backend === backend) {
      const at = times.opened.get(backend)?.shift();
      if (at === undefined) throw new Error("the log knows of fewer breakers that opened");
      failures.push({ seq, at, doubts: (channel) => methods.has(channel) });
      if (outages.at(-1)?.until !== Infinity) outages.push({ from: seq, until: Infinity });
    } else if (code === "RPC_RECOVERED" && data.backend === backend) {
      const outage = outages.at(-1);
      if (outage?.until !== Infinity) throw new Error("a recovery from nothing");
      outage.until = seq;
    }
  }
  for (const [channel, left] of times.failed) {
    if (left.length > 0) throw new Error(`${left.length} failures of ${channel} were not told`);
  }
  const openings = times.opened.get(backend) ?? [];
  if (openings.length > 0) throw new Error(`${openings.length} open breakers were not told`);
  return { given, failures, outages, methods, published };
}

function timesBy(
  logs: readonly LogLine[],
  events: readonly string[],
  field: string,
): Map<string, number[]> {
  const times = new Map<string, number[]>();
  for (const line of logs) {
    if (!events.includes(line.event)) continue;
    const key = String(line[field]);
    times.set(key, [...times.get(key) ?? [], Date.parse(String(line["time"]))]);
  }
  return times;
}
