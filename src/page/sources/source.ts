import type { ChannelState } from "../../client/mod.ts";
import { isStatusChannel, WELL_KNOWN_STATUS_CHANNELS } from "../../protocol/channel.ts";
import type { ShownSource } from "../hub/status_watch.ts";
import { inWords, labelOf, type Unit } from "../format.ts";

/** How a source stands: the graver ones first. */
export const STANDINGS = ["failed", "stale", "waiting", "live"] as const;
export type SourceStanding = typeof STANDINGS[number];

/** A source as the page shows it, wherever it does. */
export interface Source {
  readonly channel: string;
  readonly title: string;
  readonly group: string | undefined;
  readonly unit: Unit | undefined;
  readonly backend: string | undefined;
  readonly state: ChannelState;
  readonly standing: SourceStanding;
  /** Why it is not live. */
  readonly reason: string | undefined;
}

export interface SourcesOptions {
  /** Every channel heard of. */
  channels: readonly string[];
  read: (channel: string) => ChannelState;
  /** The hub's reports, in the order of its configuration; undefined before the first. */
  reports: Readonly<Record<string, ShownSource>> | undefined;
}

export interface Sources {
  /** In the configured order, those of one group together. */
  readonly list: readonly Source[];
  /** Channels that are offered and that nothing feeds. */
  readonly quiet: readonly string[];
}

/** All sources of the hub, in an order that does not change when they fail. */
export function sourcesOf({ channels, read, reports = {} }: SourcesOptions): Sources {
  const configured = Object.keys(reports);
  const known = [...new Set([...configured, ...channels])].filter(isStatusChannel);
  const all = known.map((channel): Source & { order: number; place: number } => {
    const report = Object.hasOwn(reports, channel) ? reports[channel] : undefined;
    const place = configured.indexOf(channel);
    const state = read(channel);
    return {
      channel,
      title: report?.title ?? titleOf(channel),
      group: report?.group,
      unit: report?.unit,
      backend: report?.backend,
      state,
      ...standingOf(state, report),
      order: report?.order ?? 0,
      place: place < 0 ? configured.length + usualPlace(channel) : place,
    };
  });
  const isFed = ({ state, channel }: Source) =>
    state.kind !== "never_seen" || Object.hasOwn(reports, channel);
  const sorted = all.filter(isFed).toSorted((a, b) =>
    a.order - b.order || a.place - b.place || (a.channel < b.channel ? -1 : 1)
  );
  const named = new Set(sorted.flatMap(({ group }) => group ?? []));
  const groups = [...named, undefined];
  return {
    list: groups.flatMap((group) => sorted.filter((each) => each.group === group)),
    quiet: all.filter((each) => !isFed(each)).map(({ channel }) => channel),
  };
}

/** The graver ones first, else as they were. */
export function gravestFirst(sources: readonly Source[]): Source[] {
  return sources.toSorted((a, b) => STANDINGS.indexOf(a.standing) - STANDINGS.indexOf(b.standing));
}

function standingOf(
  state: ChannelState,
  report: ShownSource | undefined,
): Pick<Source, "standing" | "reason"> {
  switch (state.kind) {
    case "live":
      return { standing: "live", reason: undefined };
    case "stale": {
      const { error, why } = state;
      return {
        standing: "stale",
        reason: inWords(why === error?.message ? error.details ?? why : why),
      };
    }
    case "never_seen": {
      const failure = report?.last_error ?? undefined;
      return failure === undefined
        ? { standing: "waiting", reason: inWords(state.why) }
        : { standing: "failed", reason: inWords(failure) };
    }
  }
}

function usualPlace(channel: string): number {
  const well: readonly string[] = WELL_KNOWN_STATUS_CHANNELS;
  const place = well.indexOf(channel);
  return place < 0 ? well.length : place;
}

/** The name people know a well-known channel by; any other one by its own. */
function titleOf(channel: string): string {
  switch (channel) {
    case "storage_update":
      return "Storage";
    case "agent_status":
      return "Agents";
    case "compression_update":
      return "Compression";
    default:
      return labelOf(channel);
  }
}
