import {
  cut,
  formatBytes,
  formatDuration,
  formatPercent,
  formatPlain,
  type Unit,
} from "../format.ts";
import { type Dictionary, isDictionary, MAX_ROWS, tableOf, viewOf } from "./shape.ts";
import type { Meter, Part, Tile, View } from "./view.ts";

/** Lays a channel's value out; `undefined` if it does not have the shape expected. */
type Layout = (value: Dictionary) => View | undefined;

/** Longest name shown beside a bar, in characters. */
const MAX_NAME = 48;

const LAYOUTS: Readonly<Record<string, Layout>> = {
  system_status: systemLayout,
  storage_update: storageLayout,
  agent_status: agentLayout,
  compression_update: compressionLayout,
};

/**
 * The view of a channel's value: laid out by hand for the well-known channels, as long as the
 * value is what they usually carry, and by its shape for everything else.
 */
export function layoutOf(channel: string, value: unknown, unit?: Unit): View {
  const layout = Object.hasOwn(LAYOUTS, channel) ? LAYOUTS[channel] : undefined;
  return (isDictionary(value) ? layout?.(value) : undefined) ??
    viewOf(value, { key: channel, unit });
}

function systemLayout(value: Dictionary): View | undefined {
  const { cpu, memory, swap, load_average, network } = value;
  const meters = [
    meter("CPU", cpu, "usage_ratio", processorNote(cpu)),
    meter("Memory", memory, "used_ratio", usedNote(memory)),
    usedOf(swap) === 0 ? undefined : meter("Swap", swap, "used_ratio", usedNote(swap)),
  ].filter((each) => each !== undefined);
  if (meters.length === 0) return undefined;
  const tiles: Tile[] = [
    ...loadTile(load_average),
    ...tile("Uptime", value.uptime_seconds, (seconds) => formatDuration(seconds * 1000)),
  ];
  const rest = without(value, [
    "cpu",
    "memory",
    "swap",
    "load_average",
    "network",
    "uptime_seconds",
  ]);
  return stack([
    { view: { kind: "meters", meters } },
    ...(tiles.length > 0 ? [{ view: { kind: "tiles", tiles } } as Part] : []),
    ...rows(network, (list) => ({
      title: "Network",
      view: tableOf(list, {
        title: "Network interfaces",
        keys: ["name", "received_bytes_per_second", "sent_bytes_per_second"],
        labels: {
          name: "Interface",
          received_bytes_per_second: "Received",
          sent_bytes_per_second: "Sent",
        },
      }),
    })),
    ...more(rest),
  ]);
}

function storageLayout(value: Dictionary): View | undefined {
  const list = value.filesystems;
  if (!isRows(list)) return undefined;
  const meters = list.slice(0, MAX_ROWS).map(fileSystemMeter).filter((each) => each !== undefined);
  const others = list.filter((each) => fileSystemMeter(each) === undefined);
  const cutNote = list.length > MAX_ROWS ? { not_shown: list.length - MAX_ROWS } : {};
  return stack([
    ...(meters.length > 0 ? [{ view: { kind: "meters", meters } } as Part] : []),
    ...rows(others, (unreadable) => ({
      title: "Not readable",
      view: tableOf(unreadable, { title: "File systems that did not tell" }),
    })),
    ...more({ ...without(value, ["filesystems"]), ...cutNote }),
  ]);
}

function agentLayout(value: Dictionary): View | undefined {
  const list = value.agents;
  if (!isRows(list)) return undefined;
  const working = list.filter(({ state }) => state === "working").length;
  const speed = list.reduce((sum, agent) => sum + numberIn(agent, "bytes_per_second"), 0);
  const flat = list.map((agent) => {
    const job = isDictionary(agent.current_job) ? agent.current_job : {};
    return { ...agent, job: job.file ?? agent.state, progress_ratio: job.progress_ratio };
  });
  return stack([
    {
      view: {
        kind: "tiles",
        tiles: [
          { label: "Working", text: `${working} of ${list.length}` },
          { label: "Together", text: `${formatBytes(speed)}/s` },
        ],
      },
    },
    ...rows(flat, (agents) => ({
      view: tableOf(agents, {
        title: "Agents",
        keys: ["id", "job", "progress_ratio", "bytes_per_second", "jobs_done", "jobs_failed"],
        labels: {
          id: "Agent",
          progress_ratio: "Progress",
          bytes_per_second: "Speed",
          jobs_done: "Done",
          jobs_failed: "Failed",
        },
      }),
    })),
    ...more(without(value, ["agents"])),
  ]);
}

const JOB_COUNTS = ["queued", "compressing", "done", "failed"] as const;

function compressionLayout(value: Dictionary): View | undefined {
  const list = value.jobs;
  if (!isRows(list)) return undefined;
  const tiles = JOB_COUNTS.flatMap((key) =>
    tile(key.charAt(0).toUpperCase() + key.slice(1), value[key], formatPlain)
  );
  return stack([
    ...(tiles.length > 0 ? [{ view: { kind: "tiles", tiles } } as Part] : []),
    ...rows(list, (jobs) => ({
      view: tableOf(jobs, {
        title: "Jobs",
        keys: [
          "file",
          "state",
          "progress_ratio",
          "original_bytes",
          "written_bytes",
          "agent",
          "reason",
        ],
        labels: { progress_ratio: "Progress", original_bytes: "Size", written_bytes: "Written" },
      }),
    })),
    ...more(without(value, ["jobs", ...JOB_COUNTS])),
  ]);
}

function stack(parts: readonly Part[]): View | undefined {
  return parts.length === 0 ? undefined : { kind: "stack", parts };
}

/** Everything else a value has, folded away. */
function more(rest: Dictionary): Part[] {
  if (Object.keys(rest).length === 0) return [];
  return [{ title: "More", view: viewOf(rest), isFolded: true }];
}

function rows(list: unknown, part: (list: readonly Dictionary[]) => Part): Part[] {
  return isRows(list) && list.length > 0 ? [part(list)] : [];
}

function isRows(value: unknown): value is readonly Dictionary[] {
  return Array.isArray(value) && value.every(isDictionary);
}

function without(value: Dictionary, keys: readonly string[]): Dictionary {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
}

function numberIn(value: Dictionary, key: string): number {
  const found = value[key];
  return typeof found === "number" ? found : 0;
}

function tile(label: string, value: unknown, format: (value: number) => string): Tile[] {
  return typeof value === "number" ? [{ label, text: format(value) }] : [];
}

function loadTile(load: unknown): Tile[] {
  if (!isDictionary(load)) return [];
  const figures = [load.one_minute, load.five_minutes, load.fifteen_minutes]
    .filter((each) => typeof each === "number");
  if (figures.length === 0) return [];
  return [{ label: "Load, 1 5 15 min", text: figures.map((each) => each.toFixed(2)).join("  ") }];
}

function meter(
  label: string,
  of: unknown,
  key: string,
  note: string | undefined,
): Meter | undefined {
  const ratio = isDictionary(of) ? of[key] : undefined;
  if (typeof ratio !== "number" || !(ratio >= 0 && ratio <= 1)) return undefined;
  return { label, ratio, text: formatPercent(ratio), ...(note === undefined ? {} : { note }) };
}

function processorNote(cpu: unknown): string | undefined {
  if (!isDictionary(cpu) || typeof cpu.count !== "number") return undefined;
  return `${cpu.count} ${cpu.count === 1 ? "processor" : "processors"}`;
}

function usedNote(of: unknown): string | undefined {
  if (!isDictionary(of)) return undefined;
  const { used_bytes: used, total_bytes: total } = of;
  if (typeof used !== "number" || typeof total !== "number") return undefined;
  return `${formatBytes(used)} of ${formatBytes(total)}`;
}

function usedOf(swap: unknown): number | undefined {
  return isDictionary(swap) && typeof swap.used_bytes === "number" ? swap.used_bytes : undefined;
}

function fileSystemMeter(of: Dictionary): Meter | undefined {
  const name = of.mount_point ?? of.name ?? of.path ?? of.device;
  return meter(
    typeof name === "string" ? cut(name, MAX_NAME) : "?",
    of,
    "used_ratio",
    usedNote(of),
  );
}
